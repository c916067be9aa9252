<?php

declare(strict_types=1);

namespace RagService\Client;

use RagService\Client\Http\StreamTransport;
use RagService\Client\Http\Transport;

/**
 * A client of one service. It has a method for each public route, with the names and in the order of
 * clients/README.md.
 *
 * Bodies and options are spelled as in HTTP, and answers are arrays without the envelope of their
 * dialect. `$options` has the parameters of the query, and `timeout` (seconds) and `retries`. Whatever
 * fails is an ApiError. A stream is a generator: to leave its loop ends the work on the other side.
 */
final class Client
{
    use Methods\Knowledge;
    use Methods\Conversations;
    use Methods\Questions;
    use Methods\Contacts;
    use Methods\Webhooks;

    private const PAGE = 100;

    private readonly Sender $sender;

    /**
     * @param string $baseUrl where the service is, with the prefix of a proxy if it has one
     * @param ?string $token `rag-service token create NAME`
     * @param ?Transport $transport a Psr18Transport, or none for PHP's own streams
     * @param ?float $timeout seconds until something has to come; null for ever
     * @param int $retries how often a call that may be repeated is tried again
     */
    public function __construct(
        string $baseUrl,
        #[\SensitiveParameter] ?string $token = null,
        ?Transport $transport = null,
        ?float $timeout = 120.0,
        int $retries = 2,
    ) {
        $transport ??= new StreamTransport();
        $this->sender = new Sender($baseUrl, $token, $transport, $timeout, $retries);
    }

    /**
     * The event of a webhook's request whose signature is right; `$body` is what came, byte by byte,
     * and `$headers` may be $_SERVER.
     *
     * @param array<string, string|list<string>> $headers
     * @return array<string, mixed>
     * @throws WebhookError
     */
    public static function verifyWebhook(
        string $body,
        array $headers,
        #[\SensitiveParameter] string $secret,
        int $toleranceS = 300,
        ?int $now = null,
    ): array {
        return Webhook::verify($body, $headers, $secret, $toleranceS, $now ?? time());
    }

    /**
     * By offset, or by page, whichever the answer has.
     *
     * @param list<string> $ids
     * @param array<string, mixed> $options
     * @return \Generator<int, array<string, mixed>>
     */
    private function items(string $path, array $ids, array $options, string $key): \Generator
    {
        $size = [$key === 'leads' ? 'per_page' : 'limit' => self::PAGE];
        for ($page = 1, $seen = 0; ; ++$page) {
            $place = $key === 'items' ? ['offset' => $seen] : ['page' => $page];
            $answer = $this->sender->json(Call::of("GET $path", $ids, $place + $size + $options));
            foreach ($answer[$key] as $item) {
                yield $item;
            }
            $seen += count($answer[$key]);
            $total = $answer['total'] ?? $answer['total_count'] ?? $answer['pagination']['total'];
            if ($answer[$key] === [] || $page * self::PAGE >= $total) {
                return;
            }
        }
    }

    /**
     * An export has all rows.
     *
     * @param array<string, mixed> $options
     * @return \Generator<int, string>
     */
    private function file(string $path, string $format, array $options): \Generator
    {
        $accept = $format === 'csv' ? Call::CSV : Call::NDJSON;
        $all = array_diff_key($options, ['limit' => 0, 'offset' => 0]);
        return $this->sender->stream(Call::of("GET $path", [], $all, accept: $accept));
    }
}
