<?php

declare(strict_types=1);

namespace RagService\Client\Http;

final class Request
{
    /**
     * @param array<string, string> $headers
     * @param ?float $timeout seconds until something has to come; null for ever
     */
    public function __construct(
        public readonly string $method,
        public readonly string $url,
        public readonly array $headers,
        public readonly ?string $body,
        public readonly ?float $timeout,
    ) {
    }
}
