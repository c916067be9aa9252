<?php

declare(strict_types=1);

namespace RagService\Client;

/**
 * Streams of bytes, read as server-sent events or as lines of JSON, however they are cut.
 *
 * @internal
 */
final class Streams
{
    /**
     * The events, as the HTML standard reads them, and the ids that come without one, whose `data` is
     * empty. An event that the stream breaks off is dropped.
     *
     * @param iterable<string> $chunks
     * @return \Generator<int, array{event: string, data: string, id: string}>
     */
    public static function events(iterable $chunks): \Generator
    {
        [$event, $data, $id] = ['', [], ''];
        foreach (self::lines($chunks, '/\r\n|\n|\r/') as $line) {
            if ($line === '') {
                if ($data !== [] || $id !== '') {
                    yield ['event' => $event ?: 'message', 'data' => implode("\n", $data), 'id' => $id];
                }
                [$event, $data, $id] = ['', [], ''];
                continue;
            }
            [$name, $value] = explode(':', $line, 2) + [1 => ''];
            $value = str_starts_with($value, ' ') ? substr($value, 1) : $value;
            match ($name) {
                'event' => $event = $value,
                'data' => $data[] = $value,
                'id' => $id = $value,
                default => null,
            };
        }
    }

    /**
     * @param iterable<string> $chunks
     * @return \Generator<int, array<string, mixed>>
     */
    public static function jsonLines(iterable $chunks): \Generator
    {
        foreach (self::lines($chunks, '/\r?\n/') as $line) {
            if (trim($line) !== '') {
                yield json_decode($line, true, flags: JSON_THROW_ON_ERROR);
            }
        }
    }

    /**
     * @param iterable<string> $chunks
     * @return \Generator<int, string>
     */
    private static function lines(iterable $chunks, string $end): \Generator
    {
        $rest = '';
        foreach ($chunks as $chunk) {
            $rest .= $chunk;
            $held = str_ends_with($rest, "\r") ? "\r" : ''; // it may be the first half of CRLF
            $lines = preg_split($end, substr($rest, 0, strlen($rest) - strlen($held)));
            assert($lines !== false);
            $rest = array_pop($lines) . $held;
            foreach ($lines as $line) {
                yield $line;
            }
        }
        $lines = preg_split($end, $rest);
        assert($lines !== false);
        if (end($lines) === '') {
            array_pop($lines);
        }
        foreach ($lines as $line) {
            yield $line;
        }
    }
}
