<?php

declare(strict_types=1);

namespace RagService\Client\Methods;

use RagService\Client\ApiError;
use RagService\Client\Call;
use RagService\Client\Sender;
use RagService\Client\Streams;

/**
 * Chat, conversations, messages and events.
 *
 * @internal a part of Client
 */
trait Conversations
{
    /**
     * Asks, and answers when the answer is whole.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function chat(string $botId, array $body, array $options = []): array
    {
        return $this->sender->json(
            Call::of('POST /chat/{}/message', [$botId], $options, $body, repeatable: false),
        );
    }

    /**
     * Asks, and yields the answer as it comes: `sources`, many `delta`, `done`.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return \Generator<int, array{event: string, data: array<string, mixed>}>
     */
    public function chatStream(string $botId, array $body, array $options = []): \Generator
    {
        $call = Call::of(
            'POST /chat/{}/stream',
            [$botId],
            $options,
            $body,
            accept: Call::EVENTS,
            repeatable: false,
        );
        foreach (Streams::events($this->sender->stream($call)) as ['event' => $event, 'data' => $text]) {
            $data = json_decode($text, true, flags: JSON_THROW_ON_ERROR);
            if ($event === 'error') {
                throw new ApiError(200, $data['code'], $data['message']);
            }
            yield ['event' => $event, 'data' => $data];
            if ($event === 'done') {
                return;
            }
        }
        throw new ApiError(0, 'stream_ended', 'the stream ended before the answer did');
    }

    /**
     * Asks in a session whose id is the caller's own.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function askBot(string $botId, array $body, array $options = []): array
    {
        return $this->sender->json(
            Call::of('POST /bot/{}', [$botId], $options, $body, repeatable: false),
        );
    }

    /**
     * Rates an answer; null takes it back.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function rateAnswer(
        string $botId,
        string $messageId,
        array $body,
        array $options = [],
    ): array {
        return $this->sender->json(
            Call::of('POST /chat/{}/messages/{}/feedback', [$botId, $messageId], $options, $body),
        );
    }

    /**
     * A page of them, the latest first.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function listConversations(string $botId, array $options = []): array
    {
        return $this->sender->json(Call::of('GET /chat/{}/conversations', [$botId], $options));
    }

    /**
     * All of them.
     *
     * @param array<string, mixed> $options
     * @return \Generator<int, array<string, mixed>>
     */
    public function iterateConversations(string $botId, array $options = []): \Generator
    {
        return $this->items('/chat/{}/conversations', [$botId], $options, 'conversations');
    }

    /**
     * A new one, to chat in.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function createConversation(string $botId, array $body = [], array $options = []): array
    {
        return $this->sender->json(
            Call::of('POST /chat/{}/conversations', [$botId], $options, $body, repeatable: false),
        );
    }

    /**
     * With its messages.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function getConversation(
        string $botId,
        string $conversationId,
        array $options = [],
    ): array {
        return $this->sender->json(
            Call::of('GET /chat/{}/conversations/{}', [$botId, $conversationId], $options),
        );
    }

    /**
     * Its title and metadata.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function updateConversation(
        string $botId,
        string $conversationId,
        array $body,
        array $options = [],
    ): array {
        return $this->sender->json(
            Call::of('PATCH /chat/{}/conversations/{}', [$botId, $conversationId], $options, $body),
        );
    }

    /**
     * For good.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function deleteConversation(
        string $botId,
        string $conversationId,
        array $options = [],
    ): array {
        return $this->sender->json(
            Call::of('DELETE /chat/{}/conversations/{}', [$botId, $conversationId], $options),
        );
    }

    /**
     * Sends a message; the reply to it comes as an event.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function sendMessage(array $body, array $options = []): array
    {
        return $this->sender->json(
            Call::of('POST /messages', [], $options, $body, repeatable: false),
        );
    }

    /**
     * Rates an answer; null takes it back.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function rateMessage(string $messageId, array $body, array $options = []): array
    {
        return $this->sender->json(
            Call::of('POST /messages/{}/feedback', [$messageId], $options, $body),
        );
    }

    /**
     * Events after a cursor, in order; `wait` holds until there is one.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function listEvents(array $options = []): array
    {
        return $this->sender->json(Call::of('GET /events', [], $options));
    }

    /**
     * Events as they happen, from `after` or now on, for ever. A connection that breaks is made again
     * and goes on after the last event.
     *
     * @param array<string, mixed> $options
     * @return \Generator<int, array<string, mixed>>
     */
    public function streamEvents(array $options = []): \Generator
    {
        for ($failures = 0; ; Sender::backOff($failures)) {
            $call = Call::of('GET /events', [], $options, accept: Call::EVENTS);
            try {
                foreach (Streams::events($this->sender->stream($call)) as $event) {
                    $failures = 0;
                    if ($event['data'] !== '') {
                        yield json_decode($event['data'], true, flags: JSON_THROW_ON_ERROR);
                    }
                    $options['after'] = $event['id'] ?: $options['after'] ?? null;
                }
            } catch (ApiError $error) {
                if ($error->status > 0) {
                    throw $error;
                }
                ++$failures;
            }
        }
    }
}
