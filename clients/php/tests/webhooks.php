<?php

declare(strict_types=1);

use RagService\Client\Client;
use RagService\Client\WebhookError;

return [
    "a webhook's request is verified" => static function (): void {
        [$key, $body, $now] = ['a secret of some length', '{"type":"message.created","data":{}}', 1_780_000_000];
        $secret = 'whsec_' . base64_encode($key);
        $sign = static fn (string $text): string => base64_encode(hash_hmac('sha256', "evt_1.$now.$text", $key, true));
        $signature = "v2,x v1,{$sign('other')} v1,{$sign($body)}";
        $headers = ['Webhook-Id' => 'evt_1', 'webhook-timestamp' => ["$now"], 'webhook-signature' => $signature];
        $server = ['HTTP_WEBHOOK_ID' => 'evt_1', 'HTTP_WEBHOOK_TIMESTAMP' => "$now", 'HTTP_WEBHOOK_SIGNATURE' => $signature, 'argc' => 1];
        same('message.created', Client::verifyWebhook($body, $headers, $secret, now: $now + 299)['type']);
        same('message.created', Client::verifyWebhook($body, $server, $secret, now: $now)['type']);
        foreach ([
            [$body, $headers, $secret, $now + 301],
            [$body, $headers, $secret, $now - 301],
            ["$body ", $headers, $secret, $now],
            [$body, [], $secret, $now],
            [$body, ['webhook-timestamp' => 'x'] + $headers, $secret, $now],
            [$body, ['webhook-signature' => 'v1,é'] + $headers, $secret, $now],
            [$body, $headers, 'no base64!', $now],
            [$body, $headers, '', $now],
        ] as [$text, $given, $with, $at]) {
            raised(WebhookError::class, static fn () => Client::verifyWebhook($text, $given, $with, now: $at));
        }
    },
];
