<?php

declare(strict_types=1);

use Psr\Http\Client\ClientExceptionInterface;
use Psr\Http\Client\ClientInterface;
use Psr\Http\Message\RequestInterface;
use Psr\Http\Message\ResponseFactoryInterface;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\StreamFactoryInterface;
use RagService\Client\Http\NetworkError;
use RagService\Client\Http\Request;
use RagService\Client\Http\StreamTransport;

/** A client of PSR-18, with messages that are not ours. */
final class ForeignClient implements ClientInterface
{
    public function __construct(
        private readonly ResponseFactoryInterface $responses,
        private readonly StreamFactoryInterface $streams,
    ) {
    }

    public function sendRequest(RequestInterface $request): ResponseInterface
    {
        $headers = array_map(static fn (array $values): string => implode(', ', $values), $request->getHeaders());
        $body = (string) $request->getBody();
        try {
            $answer = (new StreamTransport())->send(
                new Request($request->getMethod(), (string) $request->getUri(), $headers, $body, 30.0),
            );
        } catch (NetworkError $error) {
            throw new class ($error->getMessage()) extends RuntimeException implements ClientExceptionInterface {
            };
        }
        $response = $this->responses->createResponse($answer->status);
        foreach ($answer->headers as $name => $value) {
            $response = $response->withHeader($name, $value);
        }
        return $response->withBody($this->streams->createStream($answer->body()));
    }
}
