<?php

declare(strict_types=1);

namespace RagService\Client;

/** What the service refused, or a connection that failed (status 0). */
final class ApiError extends \RuntimeException
{
    /**
     * The service's own code, such as `BOT_NOT_FOUND`; else `http_404` and the like, `network`, or
     * `stream_ended`.
     *
     * @var string
     */
    public $code;

    /**
     * @param int $status of HTTP; 0 where no answer came
     * @param ?float $retryAfter seconds, where the service tells them
     * @param array<string, string> $params each parameter at fault, with the reason
     */
    public function __construct(
        public readonly int $status,
        string $code,
        string $message,
        public readonly ?float $retryAfter = null,
        public readonly array $params = [],
    ) {
        parent::__construct($message);
        $this->code = $code;
    }
}
