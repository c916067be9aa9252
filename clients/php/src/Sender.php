<?php

declare(strict_types=1);

namespace RagService\Client;

use RagService\Client\Http\NetworkError;
use RagService\Client\Http\Request;
use RagService\Client\Http\Response;
use RagService\Client\Http\Transport;

/**
 * Sends calls, and those again that may be repeated.
 *
 * @internal
 */
final class Sender
{
    private const LONGEST_WAIT_S = 30.0; // a Retry-After beyond it is the caller's decision
    private const FIRST_WAIT_S = 0.5;
    private const PASSING = [0, 429, 502, 503, 504];

    public function __construct(
        private readonly string $baseUrl,
        #[\SensitiveParameter] private readonly ?string $token,
        private readonly Transport $transport,
        private readonly ?float $timeout,
        private readonly int $retries,
    ) {
    }

    /**
     * The answer's JSON, without the envelope of its dialect.
     *
     * @return array<string, mixed>
     */
    public function json(Call $call): array
    {
        [$body, $status] = $this->repeated($call, static fn (Response $response): array => [
            $response->body(),
            $response->status,
        ]);
        $answer = json_decode($body, true);
        if (!is_array($answer)) {
            throw new ApiError($status, 'unexpected_answer', 'the answer is no JSON object');
        }
        $enveloped = ($answer['success'] ?? null) === true || ($answer['status'] ?? null) === 'success';
        return $enveloped && isset($answer['data']) ? $answer['data'] : $answer;
    }

    /**
     * The answer's bytes as they come.
     *
     * @return \Generator<int, string>
     */
    public function stream(Call $call): \Generator
    {
        $response = $this->repeated($call, static fn (Response $response): Response => $response);
        try {
            foreach ($response->chunks as $chunk) {
                yield $chunk;
            }
        } catch (NetworkError $error) {
            throw $this->networkError($error);
        }
    }

    /** Waits as long as after so many failures; the time is random, so that not all come back at once. */
    public static function backOff(int $failures, float $more = 0.0): void
    {
        usleep((int) (1e6 * ($more + self::delay($failures))));
    }

    /**
     * @template T
     * @param \Closure(Response): T $read
     * @return T
     */
    private function repeated(Call $call, \Closure $read): mixed
    {
        $retries = $call->retries ?? $this->retries;
        for ($failures = 0; ; ++$failures) {
            try {
                return $read($this->once($call));
            } catch (NetworkError $error) {
                $error = $this->networkError($error);
            } catch (ApiError $error) {
            }
            $again = $error->status === 429 // refused before anything was done
                || ($call->isRepeatable && in_array($error->status, self::PASSING, true));
            $wait = $error->retryAfter ?? 0.0;
            if (!$again || $failures >= $retries || $wait > self::LONGEST_WAIT_S) {
                throw $error;
            }
            self::backOff($failures, $wait);
        }
    }

    private function once(Call $call): Response
    {
        $headers = ['Accept' => $call->accept];
        if ($this->token !== null) {
            $headers['Authorization'] = "Bearer {$this->token}";
        }
        if ($call->body !== null) {
            $headers['Content-Type'] = $call->type;
        }
        $response = $this->transport->send(new Request(
            $call->method,
            rtrim($this->baseUrl, '/') . $call->path . self::query($call->query),
            $headers,
            $call->body,
            $call->timeout ?? $this->timeout,
        ));
        if ($response->status < 200 || $response->status > 299) {
            throw self::errorOf($response);
        }
        return $response;
    }

    /** @param array<string, mixed> $query */
    private static function query(array $query): string
    {
        $given = array_filter($query, static fn (mixed $value): bool => $value !== null);
        $text = http_build_query(array_map(self::inQuery(...), $given), '', '&', PHP_QUERY_RFC3986);
        return $text === '' ? '' : "?$text";
    }

    private static function inQuery(mixed $value): string
    {
        return match (true) {
            is_bool($value) => $value ? 'true' : 'false',
            is_array($value) && array_is_list($value) => implode(',', $value),
            is_array($value) => Call::encoded($value),
            default => (string) $value,
        };
    }

    private static function errorOf(Response $response): ApiError
    {
        $told = json_decode($response->body(), true);
        $told = is_array($told) ? $told : []; // a proxy's page
        $fault = is_array($told['error'] ?? null) ? $told['error'] : $told;
        $params = is_array($told['data'] ?? null) ? $told['data']['params'] ?? [] : [];
        return new ApiError(
            $response->status,
            (string) ($fault['code'] ?? "http_{$response->status}"),
            (string) ($fault['message'] ?? "the service answered {$response->status}"),
            self::seconds($response->headers['retry-after'] ?? ''),
            $params,
        );
    }

    /** Of a Retry-After: seconds, or a date. */
    private static function seconds(string $header): ?float
    {
        if (is_numeric($header)) {
            return max(0.0, (float) $header);
        }
        $until = $header === '' ? false : strtotime($header);
        return $until === false ? null : max(0.0, (float) ($until - time()));
    }

    private function networkError(NetworkError $error): ApiError
    {
        return new ApiError(0, 'network', "no answer from {$this->baseUrl}: {$error->getMessage()}");
    }

    private static function delay(int $failures): float
    {
        return self::FIRST_WAIT_S * 2 ** min($failures, 6) * (0.5 + mt_rand() / mt_getrandmax() / 2);
    }
}
