<?php

declare(strict_types=1);

namespace RagService\Client\Http;

final class Response
{
    /**
     * @param array<string, string> $headers by their names in small letters
     * @param iterable<string> $chunks the body, as it comes
     */
    public function __construct(
        public readonly int $status,
        public readonly array $headers,
        public readonly iterable $chunks,
    ) {
    }

    public function body(): string
    {
        $body = '';
        foreach ($this->chunks as $chunk) {
            $body .= $chunk;
        }
        return $body;
    }
}
