<?php

declare(strict_types=1);

namespace RagService\Client\Methods;

use RagService\Client\Call;
use RagService\Client\Streams;

/**
 * What was asked, and what could not be answered.
 *
 * @internal a part of Client
 */
trait Questions
{
    /**
     * A part of the rows.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function listTranscripts(array $options = []): array
    {
        return $this->sender->json(Call::of('GET /transcripts', [], $options));
    }

    /**
     * All rows that match, as they are now.
     *
     * @param array<string, mixed> $options
     * @return \Generator<int, array<string, mixed>>
     */
    public function iterateTranscripts(array $options = []): \Generator
    {
        return Streams::jsonLines($this->file('/transcripts', 'ndjson', $options));
    }

    /**
     * All rows that match, as a file.
     *
     * @param "csv"|"ndjson" $format
     * @param array<string, mixed> $options
     * @return \Generator<int, string> its bytes
     */
    public function exportTranscripts(string $format = 'csv', array $options = []): \Generator
    {
        return $this->file('/transcripts', $format, $options);
    }

    /**
     * Deletes conversations for good.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function deleteTranscripts(array $body, array $options = []): array
    {
        return $this->sender->json(Call::of('DELETE /transcripts', [], $options, $body));
    }

    /**
     * Keeps a translation of a message.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function addTranslation(array $body, array $options = []): array
    {
        return $this->sender->json(Call::of('POST /transcripts/translations', [], $options, $body));
    }

    /**
     * Notes that a link of an answer was followed.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function addClick(array $body, array $options = []): array
    {
        return $this->sender->json(
            Call::of('POST /transcripts/clicks', [], $options, $body, repeatable: false),
        );
    }

    /**
     * A page of the contacts, as leads.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function listLeads(array $options = []): array
    {
        return $this->sender->json(Call::of('GET /leads', [], $options));
    }

    /**
     * All of them.
     *
     * @param array<string, mixed> $options
     * @return \Generator<int, array<string, mixed>>
     */
    public function iterateLeads(array $options = []): \Generator
    {
        return $this->items('/leads', [], $options, 'leads');
    }

    /**
     * What could not be answered.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function listGaps(array $options = []): array
    {
        return $this->sender->json(Call::of('GET /gaps', [], $options));
    }

    /**
     * All gaps that match, as they are now.
     *
     * @param array<string, mixed> $options
     * @return \Generator<int, array<string, mixed>>
     */
    public function iterateGaps(array $options = []): \Generator
    {
        return Streams::jsonLines($this->file('/gaps', 'ndjson', $options));
    }

    /**
     * All gaps that match, as a file.
     *
     * @param "csv"|"ndjson" $format
     * @param array<string, mixed> $options
     * @return \Generator<int, string> its bytes
     */
    public function exportGaps(string $format = 'csv', array $options = []): \Generator
    {
        return $this->file('/gaps', $format, $options);
    }

    /**
     * What is asked most, and what was closed by what.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function getGapReport(array $options = []): array
    {
        return $this->sender->json(Call::of('GET /gaps/report', [], $options));
    }

    /**
     * How many questions of each gap came in each week; `gap_id` has their ids with commas between.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function getGapActivity(array $options = []): array
    {
        return $this->sender->json(Call::of('GET /gaps/activity', [], $options));
    }

    /**
     * A gap with its questions and its history.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function getGap(string $gapId, array $options = []): array
    {
        return $this->sender->json(Call::of('GET /gaps/{}', [$gapId], $options));
    }

    /**
     * Renames, dismisses, closes or opens it.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function updateGap(string $gapId, array $body, array $options = []): array
    {
        return $this->sender->json(Call::of('PATCH /gaps/{}', [$gapId], $options, $body));
    }

    /**
     * Puts others into this one.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function mergeGaps(string $gapId, array $body, array $options = []): array
    {
        return $this->sender->json(
            Call::of('POST /gaps/{}/merge', [$gapId], $options, $body, repeatable: false),
        );
    }

    /**
     * Pushes a page that answers it.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function answerGap(string $gapId, array $body, array $options = []): array
    {
        return $this->sender->json(Call::of('POST /gaps/{}/answer', [$gapId], $options, $body));
    }

    /**
     * The questions whose answer is known, for an evaluation.
     *
     * @param array<string, mixed> $options
     * @return \Generator<int, array<string, mixed>>
     */
    public function goldenQuestions(array $options = []): \Generator
    {
        return Streams::jsonLines($this->file('/gaps/golden', 'ndjson', $options));
    }
}
