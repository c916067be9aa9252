<?php

declare(strict_types=1);

namespace RagService\Client\Http;

/** Sends one request. */
interface Transport
{
    /**
     * Answers as soon as the head of the response has come, whatever its status.
     *
     * @throws NetworkError where no answer came; reading the chunks may throw it too
     */
    public function send(Request $request): Response;
}
