<?php

declare(strict_types=1);

namespace RagService\Client\Methods;

use RagService\Client\Call;

/**
 * Webhooks, and what they were sent.
 *
 * @internal a part of Client
 */
trait Webhooks
{
    /**
     * A page of them.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function listWebhooks(array $options = []): array
    {
        return $this->sender->json(Call::of('GET /webhooks', [], $options));
    }

    /**
     * All of them.
     *
     * @param array<string, mixed> $options
     * @return \Generator<int, array<string, mixed>>
     */
    public function iterateWebhooks(array $options = []): \Generator
    {
        return $this->items('/webhooks', [], $options, 'webhooks');
    }

    /**
     * Its `secret` is in this answer alone.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function createWebhook(array $body, array $options = []): array
    {
        return $this->sender->json(
            Call::of('POST /webhooks', [], $options, $body, repeatable: false),
        );
    }

    /**
     * One of them.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function getWebhook(string $webhookId, array $options = []): array
    {
        return $this->sender->json(Call::of('GET /webhooks/{}', [$webhookId], $options));
    }

    /**
     * What is not named stays.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function updateWebhook(string $webhookId, array $body, array $options = []): array
    {
        return $this->sender->json(Call::of('PATCH /webhooks/{}', [$webhookId], $options, $body));
    }

    /**
     * What it is owed goes with it.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function deleteWebhook(string $webhookId, array $options = []): array
    {
        return $this->sender->json(Call::of('DELETE /webhooks/{}', [$webhookId], $options));
    }

    /**
     * A new secret, in this answer alone.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function rotateWebhookSecret(
        string $webhookId,
        array $body = [],
        array $options = [],
    ): array {
        return $this->sender->json(
            Call::of('POST /webhooks/{}/rotate', [$webhookId], $options, $body, repeatable: false),
        );
    }

    /**
     * Posts a `webhook.test`, and tells what came back.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function testWebhook(string $webhookId, array $options = []): array
    {
        return $this->sender->json(
            Call::of('POST /webhooks/{}/test', [$webhookId], $options, repeatable: false),
        );
    }

    /**
     * A page of what it was sent, or is owed.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function listDeliveries(string $webhookId, array $options = []): array
    {
        return $this->sender->json(Call::of('GET /webhooks/{}/deliveries', [$webhookId], $options));
    }

    /**
     * All of them.
     *
     * @param array<string, mixed> $options
     * @return \Generator<int, array<string, mixed>>
     */
    public function iterateDeliveries(string $webhookId, array $options = []): \Generator
    {
        return $this->items('/webhooks/{}/deliveries', [$webhookId], $options, 'deliveries');
    }

    /**
     * Sends one again.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function redeliver(string $webhookId, string $deliveryId, array $options = []): array
    {
        return $this->sender->json(
            Call::of(
                'POST /webhooks/{}/deliveries/{}/redeliver',
                [$webhookId, $deliveryId],
                $options,
                repeatable: false,
            ),
        );
    }

    /**
     * Sends all again that failed.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function redeliverFailed(string $webhookId, array $options = []): array
    {
        return $this->sender->json(
            Call::of('POST /webhooks/{}/redeliver', [$webhookId], $options, repeatable: false),
        );
    }
}
