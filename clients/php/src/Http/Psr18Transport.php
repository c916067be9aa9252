<?php

declare(strict_types=1);

namespace RagService\Client\Http;

use Psr\Http\Client\ClientExceptionInterface;
use Psr\Http\Client\ClientInterface;
use Psr\Http\Message\RequestFactoryInterface;
use Psr\Http\Message\StreamFactoryInterface;
use Psr\Http\Message\StreamInterface;

/**
 * A client of PSR-18, with the factories of PSR-17. Time-outs are its own affair, and so is whether it
 * gives a stream as it comes or when it is whole.
 */
final class Psr18Transport implements Transport
{
    private const CHUNK = 8192;

    public function __construct(
        private readonly ClientInterface $client,
        private readonly RequestFactoryInterface $requests,
        private readonly StreamFactoryInterface $streams,
    ) {
    }

    public function send(Request $request): Response
    {
        $message = $this->requests->createRequest($request->method, $request->url);
        foreach ($request->headers as $name => $value) {
            $message = $message->withHeader($name, $value);
        }
        if ($request->body !== null) {
            $message = $message->withBody($this->streams->createStream($request->body));
        }
        try {
            $answer = $this->client->sendRequest($message);
        } catch (ClientExceptionInterface $error) {
            throw new NetworkError($error->getMessage(), previous: $error);
        }
        $headers = [];
        foreach ($answer->getHeaders() as $name => $values) {
            $headers[strtolower((string) $name)] = implode(', ', $values);
        }
        return new Response($answer->getStatusCode(), $headers, self::chunks($answer->getBody()));
    }

    /** @return \Generator<int, string> */
    private static function chunks(StreamInterface $body): \Generator
    {
        try {
            while (!$body->eof()) {
                $chunk = $body->read(self::CHUNK);
                if ($chunk !== '') {
                    yield $chunk;
                }
            }
        } catch (\RuntimeException $error) {
            throw new NetworkError($error->getMessage(), previous: $error);
        } finally {
            $body->close();
        }
    }
}
