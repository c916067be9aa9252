<?php

declare(strict_types=1);

namespace RagService\Client;

/** The request is not from the service, or it is an old one. */
final class WebhookError extends \RuntimeException
{
}
