<?php

declare(strict_types=1);

use RagService\Client\ApiError;
use RagService\Client\Client;
use RagService\Client\Http\NetworkError;
use RagService\Client\Http\Request;
use RagService\Client\Http\Response;
use RagService\Client\Http\Transport;

function same(mixed $expected, mixed $found): void
{
    if ($expected !== $found) {
        throw new Exception(var_export($found, true) . ' is not ' . var_export($expected, true));
    }
}

function holds(bool $condition, string $what): void
{
    if (!$condition) {
        throw new Exception($what);
    }
}

/** @return Throwable of that class */
function raised(string $class, Closure $does): Throwable
{
    try {
        $does();
    } catch (Throwable $error) {
        if ($error instanceof $class) {
            return $error;
        }
        throw $error;
    }
    throw new Exception("no $class");
}

function refused(Closure $does): ApiError
{
    $error = raised(ApiError::class, $does);
    assert($error instanceof ApiError);
    return $error;
}

function client(string ...$more): Client
{
    $given = $more + ['baseUrl' => getenv('SERVICE_URL'), 'token' => getenv('SERVICE_TOKEN')];
    return new Client(...$given);
}

/** Gives these answers one after the other, and notes what it was asked. */
final class Scripted implements Transport
{
    /** @var list<Request> */
    public array $requests = [];

    /** @var list<Response|NetworkError> */
    private array $answers;

    public function __construct(Response|NetworkError ...$answers)
    {
        $this->answers = array_values($answers);
    }

    public function send(Request $request): Response
    {
        $this->requests[] = $request;
        $answer = array_shift($this->answers) ?? throw new Exception('asked once too often');
        return $answer instanceof Response ? $answer : throw $answer;
    }
}

/** @param array<string, string> $headers */
function answer(int $status, string $body = '{}', array $headers = []): Response
{
    return new Response($status, $headers, [$body]);
}
