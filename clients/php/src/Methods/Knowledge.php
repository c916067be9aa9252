<?php

declare(strict_types=1);

namespace RagService\Client\Methods;

use RagService\Client\Call;
use RagService\Client\Streams;

/**
 * Search and pages, one by one and in batches.
 *
 * @internal a part of Client
 */
trait Knowledge
{
    /**
     * Whether it is up, and ready. Needs no token.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function health(array $options = []): array
    {
        return $this->sender->json(Call::of('GET /health', [], $options));
    }

    /**
     * Its models, and what runs in the background.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function getStatus(array $options = []): array
    {
        return $this->sender->json(Call::of('GET /status', [], $options));
    }

    /**
     * Names and scopes, never a token itself.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function listTokens(array $options = []): array
    {
        return $this->sender->json(Call::of('GET /tokens', [], $options));
    }

    /**
     * What the token of this client may do.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function getOwnToken(array $options = []): array
    {
        return $this->sender->json(Call::of('GET /tokens/self', [], $options));
    }

    /**
     * The passages that answer a query, best first.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function search(array $body, array $options = []): array
    {
        return $this->sender->json(Call::of('POST /search', [], $options, $body));
    }

    /**
     * Stores a page in place of the former one of its `source_url`.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function pushPage(array $body, array $options = []): array
    {
        return $this->sender->json(Call::of('POST /knowledge', [], $options, $body));
    }

    /**
     * A part of the pages, newest first, without their text.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function listPages(array $options = []): array
    {
        return $this->sender->json(Call::of('GET /knowledge', [], $options));
    }

    /**
     * All of them.
     *
     * @param array<string, mixed> $options
     * @return \Generator<int, array<string, mixed>>
     */
    public function iteratePages(array $options = []): \Generator
    {
        return $this->items('/knowledge', [], $options, 'items');
    }

    /**
     * A page with its text and chunks.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function getPage(string $documentId, array $options = []): array
    {
        return $this->sender->json(Call::of('GET /knowledge/{}', [$documentId], $options));
    }

    /**
     * Deletes pages by URL, or by a filter.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function deletePages(array $body, array $options = []): array
    {
        return $this->sender->json(Call::of('DELETE /knowledge', [], $options, $body));
    }

    /**
     * Pushes many pages in the background; `getJob` tells how far it is.
     *
     * @param iterable<array<string, mixed>> $pages
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function pushBatch(iterable $pages, array $options = []): array
    {
        $lines = Call::lines($pages);
        return $this->sender->json(
            Call::of('POST /knowledge/batch', [], $options, $lines, Call::NDJSON),
        );
    }

    /**
     * The same; what came of each page, in order, as it goes on.
     *
     * @param iterable<array<string, mixed>> $pages
     * @param array<string, mixed> $options
     * @return \Generator<int, array<string, mixed>>
     */
    public function streamBatch(iterable $pages, array $options = []): \Generator
    {
        $lines = Call::lines($pages);
        $how = ['wait' => true] + $options;
        $call = Call::of('POST /knowledge/batch', [], $how, $lines, Call::NDJSON, Call::NDJSON);
        return Streams::jsonLines($this->sender->stream($call));
    }

    /**
     * Pushes files in the background: paths, or contents by their names.
     *
     * @param array<int|string, string> $files
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function uploadFiles(array $files, array $options = []): array
    {
        [$form, $type] = Call::form($files);
        return $this->sender->json(
            Call::of('POST /knowledge/upload', [], $options, $form, $type),
        );
    }

    /**
     * The same; what came of each file, as it goes on.
     *
     * @param array<int|string, string> $files
     * @param array<string, mixed> $options
     * @return \Generator<int, array<string, mixed>>
     */
    public function streamUpload(array $files, array $options = []): \Generator
    {
        [$form, $type] = Call::form($files);
        $how = ['wait' => true] + $options;
        $call = Call::of('POST /knowledge/upload', [], $how, $form, $type, Call::NDJSON);
        return Streams::jsonLines($this->sender->stream($call));
    }

    /**
     * A part of the batches, the latest first.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function listJobs(array $options = []): array
    {
        return $this->sender->json(Call::of('GET /jobs', [], $options));
    }

    /**
     * How far a batch is.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function getJob(string $jobId, array $options = []): array
    {
        return $this->sender->json(Call::of('GET /jobs/{}', [$jobId], $options));
    }

    /**
     * What has been written stays.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function cancelJob(string $jobId, array $options = []): array
    {
        return $this->sender->json(Call::of('DELETE /jobs/{}', [$jobId], $options));
    }

    /**
     * The batch when it is over; it is looked at `$every` so many seconds.
     *
     * @return array<string, mixed>
     */
    public function waitForJob(string $jobId, float $every = 1.0): array
    {
        while (!in_array(($job = $this->getJob($jobId))['state'], ['succeeded', 'failed', 'cancelled'], true)) {
            usleep((int) (1e6 * $every));
        }
        return $job;
    }
}
