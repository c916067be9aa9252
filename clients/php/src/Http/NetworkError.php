<?php

declare(strict_types=1);

namespace RagService\Client\Http;

/** No answer came, or it broke off. */
final class NetworkError extends \RuntimeException
{
}
