<?php

declare(strict_types=1);

namespace RagService\Client\Http;

/**
 * PHP's own streams: they need no extension for http, and openssl for https. Redirects are not
 * followed, so that the token goes nowhere else.
 */
final class StreamTransport implements Transport
{
    private const CHUNK = 8192;

    public function send(Request $request): Response
    {
        if (!filter_var(ini_get('allow_url_fopen'), FILTER_VALIDATE_BOOL)) {
            throw new NetworkError('allow_url_fopen is off: give the client a Psr18Transport');
        }
        $reason = '';
        set_error_handler(static function (int $level, string $text) use (&$reason): bool {
            $reason = $text;
            return true;
        });
        try {
            $stream = fopen($request->url, 'rb', false, self::context($request));
        } finally {
            restore_error_handler();
        }
        if ($stream === false) {
            throw new NetworkError($reason);
        }
        [$status, $headers] = self::head(stream_get_meta_data($stream)['wrapper_data'] ?? []);
        $bytes = self::bytes($stream);
        $isChunked = strtolower($headers['transfer-encoding'] ?? '') === 'chunked';
        $length = $headers['content-length'] ?? null;
        return new Response($status, $headers, match (true) {
            $isChunked => self::dechunked($bytes),
            $length !== null => self::counted($bytes, (int) $length),
            default => $bytes,
        });
    }

    /** @return resource */
    private static function context(Request $request)
    {
        $headers = ['Connection: close'];
        foreach ($request->headers as $name => $value) {
            $headers[] = "$name: $value";
        }
        return stream_context_create(['http' => [
            'method' => $request->method,
            'header' => $headers,
            'content' => $request->body ?? '',
            'protocol_version' => 1.1,
            'ignore_errors' => true,
            'follow_location' => 0,
            'auto_decode' => false, // PHP's own filter waits for 8 kB, and tells no end that is missing
            'timeout' => $request->timeout ?? 86400.0,
        ]]);
    }

    /**
     * @param list<string> $lines
     * @return array{int, array<string, string>}
     */
    private static function head(array $lines): array
    {
        [$status, $headers] = [0, []];
        foreach ($lines as $line) {
            if (preg_match('~^HTTP/\S+ (\d{3})~', $line, $found) === 1) {
                [$status, $headers] = [(int) $found[1], []]; // after a 100, the one that counts
            } elseif (str_contains($line, ':')) {
                [$name, $value] = explode(':', $line, 2);
                $headers[strtolower(trim($name))] = trim($value);
            }
        }
        return [$status, $headers];
    }

    /**
     * What comes, in pieces of any length.
     *
     * @param resource $stream
     * @return \Generator<int, string>
     */
    private static function bytes($stream): \Generator
    {
        try {
            while (!feof($stream)) {
                $piece = @fread($stream, self::CHUNK);
                if (stream_get_meta_data($stream)['timed_out']) {
                    throw new NetworkError('nothing came in time');
                }
                if ($piece === false) {
                    throw new NetworkError('the connection broke');
                }
                if ($piece !== '') {
                    yield $piece;
                }
            }
        } finally {
            fclose($stream); // also when the reader stops early
        }
    }

    /**
     * @param \Generator<int, string> $bytes
     * @return \Generator<int, string>
     */
    private static function counted(\Generator $bytes, int $length): \Generator
    {
        foreach ($bytes as $piece) {
            $length -= strlen($piece);
            yield $piece;
        }
        if ($length > 0) {
            throw new NetworkError('the answer broke off');
        }
    }

    /**
     * The content of chunks (RFC 9112, 7.1), as soon as it comes.
     *
     * @param \Generator<int, string> $bytes
     * @return \Generator<int, string>
     */
    private static function dechunked(\Generator $bytes): \Generator
    {
        [$rest, $left] = ['', 0]; // $left is what the chunk still has, with the line's end after it
        foreach ($bytes as $piece) {
            $rest .= $piece;
            while (true) {
                if ($left > 0) {
                    $taken = substr($rest, 0, $left);
                    $rest = substr($rest, strlen($taken));
                    $content = substr($taken, 0, max(0, $left - 2));
                    $left -= strlen($taken);
                    if ($content !== '') {
                        yield $content;
                    }
                }
                if ($left > 0 || !str_contains($rest, "\n")) {
                    break;
                }
                [$head, $rest] = explode("\n", $rest, 2);
                $size = hexdec(trim(explode(';', $head, 2)[0]));
                if ($size === 0) {
                    return;
                }
                $left = $size + 2;
            }
        }
        throw new NetworkError('the answer broke off');
    }
}
