<?php

/** The examples of the four documents that the service began with, by this client. */

declare(strict_types=1);

const SEEDS = 'php-seeds';

client()->pushPage([
    'source_url' => 'https://example.com/hours',
    'content' => 'What are your business hours? Our business hours are Monday-Friday, 9 AM to 5 PM EST.',
    'bot_id' => SEEDS,
]);

return [
    'chat: a message, its conversation, the list of them and a stream' => static function (): void {
        client()->createConversation(SEEDS, ['conversationId' => 'conv_123456']);
        $reply = client()->chat(SEEDS, [
            'message' => 'What are your business hours?',
            'conversationId' => 'conv_123456',
            'metadata' => ['userId' => 'user_789', 'source' => 'mobile_app'],
        ]);
        same('conv_123456', $reply['conversationId']);
        holds(str_contains($reply['response'], 'Monday-Friday, 9 AM to 5 PM EST'), $reply['response']);
        $history = client()->getConversation(SEEDS, 'conv_123456');
        same(['user', 'assistant'], array_column($history['messages'], 'role'));
        $list = client()->listConversations(SEEDS, ['page' => 1, 'limit' => 20, 'since' => '2024-01-15T10:00:00Z']);
        same(['conv_123456', 1], [$list['conversations'][0]['id'], $list['pagination']['total']]);
        $events = iterator_to_array(client()->chatStream(SEEDS, ['message' => 'Tell me a story']), false);
        same('done', $events[count($events) - 1]['event']);
    },
    'overview: a bot is asked in a session' => static function (): void {
        $data = client()->askBot(SEEDS, [
            'message' => 'Hello, what can you help me with?',
            'sessionId' => 'optional-session-id',
        ]);
        same('optional-session-id', $data['conversationId']);
        holds($data['response'] !== '', 'an answer');
    },
    'messages: one is sent into a conversation, and one into a new one' => static function (): void {
        client()->createConversation(SEEDS, ['conversationId' => 'con_9s2kd81-php']);
        $sent = client()->sendMessage([
            'conversation_id' => 'con_9s2kd81-php',
            'sender_id' => 'usr_82hd92',
            'sender_type' => 'user',
            'text' => 'Can you summarize my last 5 calls?',
            'metadata' => ['channel' => 'web', 'locale' => 'en-US'],
            'auto_reply' => true,
        ]);
        same(['channel' => 'web', 'locale' => 'en-US'], $sent['message']['metadata']);
        same(true, $sent['auto_reply_enqueued']);
        $began = client()->sendMessage(['sender_id' => 'usr_82hd92', 'sender_type' => 'agent', 'text' => 'Hello!']);
        holds(str_starts_with($began['conversation_id'], 'conv_'), $began['conversation_id']);
    },
    'knowledge: health, a push, the questions that found nothing, and a delete' => static function (): void {
        same('mxchat/v1', client()->health()['namespace']);
        $pushed = client()->pushPage([
            'content' => "Q: How do I enable streaming?\nA: MxChat → Settings → Streaming, pick a streaming-capable model.",
            'source_url' => 'https://yoursite.com/faq/#faq-enable-streaming',
            'content_type' => 'faq',
            'bot_id' => SEEDS,
        ]);
        same('faq', $pushed['content_type']);
        $sessions = ['mxchat_chat_abc123', 'mxchat_chat_def456'];
        foreach ($sessions as $session) {
            client()->askBot(SEEDS, ['message' => 'Who mends xylophones?', 'sessionId' => $session]);
        }
        $rows = client()->listTranscripts([
            'role' => 'user',
            'has_rag_context' => 'no',
            'since' => '2026-05-12T00:00:00Z',
            'limit' => 200,
            'order' => 'asc',
            'bot_id' => SEEDS,
        ]);
        holds(in_array('Who mends xylophones?', array_column($rows['items'], 'message'), true), 'it is listed');
        $deleted = client()->deleteTranscripts(['session_ids' => $sessions, 'cascade' => true]);
        unset($deleted['erasure_pending']); // while a reader holds the log
        same([
            'session_ids_requested' => 2,
            'transcripts_deleted' => 4,
            'translations_deleted' => 0,
            'url_clicks_deleted' => 0,
            'cascade' => true,
        ], $deleted);
    },
];
