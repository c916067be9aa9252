<?php

declare(strict_types=1);

namespace RagService\Client;

/**
 * A request to the service.
 *
 * @internal
 */
final class Call
{
    public const JSON = 'application/json';
    public const NDJSON = 'application/x-ndjson';
    public const EVENTS = 'text/event-stream';
    public const CSV = 'text/csv';

    /**
     * @param array<string, mixed> $query
     * @param bool $isRepeatable it does no harm when it is done twice
     */
    private function __construct(
        public readonly string $method,
        public readonly string $path,
        public readonly array $query,
        public readonly ?string $body,
        public readonly string $type,
        public readonly string $accept,
        public readonly bool $isRepeatable,
        public readonly ?float $timeout,
        public readonly ?int $retries,
    ) {
    }

    /**
     * @param string $route such as `POST /chat/{}/message`
     * @param list<string> $ids one for each `{}`
     * @param array<string, mixed> $options of the query, and `timeout` and `retries`
     * @param array<string, mixed>|string|null $body an object to write as JSON, or what is written
     */
    public static function of(
        string $route,
        array $ids = [],
        array $options = [],
        array|string|null $body = null,
        string $type = self::JSON,
        string $accept = self::JSON,
        bool $repeatable = true,
    ): self {
        [$method, $path] = explode(' ', $route, 2);
        foreach ($ids as $id) {
            if ($id === '') {
                throw new \InvalidArgumentException("$route: an id is empty");
            }
        }
        return new self(
            $method,
            sprintf(str_replace('{}', '%s', $path), ...array_map(rawurlencode(...), $ids)),
            array_diff_key($options, ['timeout' => 0, 'retries' => 0]),
            is_array($body) ? self::encoded((object) $body) : $body,
            $type,
            $accept,
            $repeatable,
            isset($options['timeout']) ? (float) $options['timeout'] : null,
            $options['retries'] ?? null,
        );
    }

    public static function encoded(mixed $value): string
    {
        $flags = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION;
        return json_encode($value, $flags | JSON_THROW_ON_ERROR);
    }

    /**
     * A body of one JSON object a line.
     *
     * @param iterable<array<string, mixed>> $items
     */
    public static function lines(iterable $items): string
    {
        $lines = '';
        foreach ($items as $item) {
            $lines .= self::encoded((object) $item) . "\n";
        }
        return $lines;
    }

    /**
     * A form of files, and its media type.
     *
     * @param array<int|string, string> $files paths, or contents by their names
     * @return array{string, string}
     */
    public static function form(array $files): array
    {
        $boundary = bin2hex(random_bytes(16));
        $body = '';
        foreach ($files as $name => $file) {
            if (is_int($name)) {
                [$name, $file] = [basename($file), self::contents($file)];
            }
            $name = strtr($name, ["\r" => '%0D', "\n" => '%0A', '"' => '%22']);
            $body .= "--$boundary\r\nContent-Disposition: form-data; name=\"files\"; "
                . "filename=\"$name\"\r\nContent-Type: application/octet-stream\r\n\r\n$file\r\n";
        }
        return ["$body--$boundary--\r\n", "multipart/form-data; boundary=$boundary"];
    }

    private static function contents(string $path): string
    {
        $contents = is_file($path) ? file_get_contents($path) : false;
        return $contents !== false ? $contents : throw new \InvalidArgumentException("no file $path");
    }
}
