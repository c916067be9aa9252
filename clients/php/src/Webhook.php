<?php

declare(strict_types=1);

namespace RagService\Client;

/**
 * Is a request from the service? https://www.standardwebhooks.com tells how it signs.
 *
 * @internal Client::verifyWebhook
 */
final class Webhook
{
    /**
     * @param array<string, string|list<string>> $headers
     * @return array<string, mixed>
     */
    public static function verify(
        string $body,
        array $headers,
        string $secret,
        int $toleranceS,
        int $now,
    ): array {
        $given = self::named($headers);
        [$id, $timestamp, $signatures] = [
            $given['webhook-id'] ?? '',
            $given['webhook-timestamp'] ?? '',
            $given['webhook-signature'] ?? '',
        ];
        if ($id === '' || $timestamp === '' || $signatures === '') {
            throw new WebhookError('the request has no signature');
        }
        if (!ctype_digit($timestamp) || abs($now - (int) $timestamp) > $toleranceS) {
            throw new WebhookError('the request is too old, or from the future');
        }
        $bare = str_starts_with($secret, 'whsec_') ? substr($secret, 6) : $secret;
        $key = base64_decode($bare, true);
        if ($key === false || $key === '') {
            throw new WebhookError('the secret is no base64');
        }
        $right = base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
        foreach (explode(' ', $signatures) as $signature) {
            [$version, $value] = explode(',', $signature, 2) + [1 => ''];
            if ($version === 'v1' && hash_equals($right, $value)) {
                return self::event($body);
            }
        }
        throw new WebhookError('the signature is wrong');
    }

    /**
     * As a framework gives them, or as $_SERVER has them.
     *
     * @param array<string, string|list<string>> $headers
     * @return array<string, string>
     */
    private static function named(array $headers): array
    {
        $named = [];
        foreach ($headers as $name => $value) {
            $name = strtolower(strtr((string) $name, '_', '-'));
            $name = str_starts_with($name, 'http-') ? substr($name, 5) : $name;
            if (str_starts_with($name, 'webhook-')) {
                $named[$name] = is_array($value) ? implode(' ', $value) : (string) $value;
            }
        }
        return $named;
    }

    /** @return array<string, mixed> */
    private static function event(string $body): array
    {
        $event = json_decode($body, true);
        return is_array($event) ? $event : throw new WebhookError('the body is no event');
    }
}
