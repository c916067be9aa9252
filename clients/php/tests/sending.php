<?php

/** What is sent again, and what a stream is cut into: against answers that are made here. */

declare(strict_types=1);

use RagService\Client\Client;
use RagService\Client\Http\NetworkError;
use RagService\Client\Streams;

const BOTS = '{"success":true,"data":{"bots":[]}}';

return [
    'a call that may be repeated is tried again after 429, 503, 502 and a broken connection' => static function (): void {
        foreach ([answer(429), answer(503), answer(502), new NetworkError('reset')] as $first) {
            $transport = new Scripted($first, answer(200, BOTS));
            same(['bots' => []], (new Client('http://a', null, $transport))->listBots());
            same(2, count($transport->requests));
        }
    },
    'a question is asked again only when it was refused for its rate' => static function (): void {
        $reply = answer(200, '{"success":true,"data":{"response":"9"}}');
        $over = new Scripted(answer(429, '{}', ['retry-after' => '0']), $reply);
        same('9', (new Client('http://a', null, $over))->chat('default', ['message' => '?'])['response']);
        foreach ([answer(503), new NetworkError('reset')] as $first) {
            $transport = new Scripted($first);
            refused(static fn () => (new Client('http://a', null, $transport))->chat('default', ['message' => '?']));
            same(1, count($transport->requests));
        }
    },
    'it is not tried for ever, nor after a long wait, nor when told not to' => static function (): void {
        $often = new Scripted(answer(503), answer(503));
        same(503, refused(static fn () => (new Client('http://a', null, $often, retries: 1))->listBots())->status);
        $later = new Scripted(answer(429, '{}', ['retry-after' => '3600']));
        same(3600.0, refused(static fn () => (new Client('http://a', null, $later))->listBots())->retryAfter);
        $never = new Scripted(answer(503));
        refused(static fn () => (new Client('http://a', null, $never))->listBots(['retries' => 0]));
    },
    "a proxy's page is an error with its status" => static function (): void {
        $page = new Scripted(answer(502, '<html>'));
        $error = refused(static fn () => (new Client('http://a', null, $page, retries: 0))->listBots());
        same([502, 'http_502'], [$error->status, $error->code]);
        $strange = new Scripted(answer(200, '<html>'));
        same('unexpected_answer', refused(static fn () => (new Client('http://a', null, $strange))->listBots())->code);
    },
    'arguments are spelled as HTTP wants them' => static function (): void {
        $transport = new Scripted(answer(200), answer(200));
        $client = new Client('http://a/b/', 't', $transport);
        $client->listPages(['filter' => ['year' => ['gte' => 2024]], 'q' => null, 'dry_run' => false, 'timeout' => 3]);
        same(
            'http://a/b/knowledge?filter=%7B%22year%22%3A%7B%22gte%22%3A2024%7D%7D&dry_run=false',
            $transport->requests[0]->url,
        );
        same([3.0, 'Bearer t'], [$transport->requests[0]->timeout, $transport->requests[0]->headers['Authorization']]);
        $client->createConversation('ü/?');
        same(['http://a/b/chat/%C3%BC%2F%3F/conversations', '{}'], [$transport->requests[1]->url, $transport->requests[1]->body]);
    },
    'a stream is read alike however it is cut into pieces' => static function (): void {
        $events = ": open\r\nid: 7\r\n\r\nevent: delta\ndata: {\"text\":\"grün\"}\n\ndata:one\rdata: two\r\rdata: lost";
        foreach ([1, 2, 3, 7, 1000] as $size) {
            same([
                ['event' => 'message', 'data' => '', 'id' => '7'],
                ['event' => 'delta', 'data' => '{"text":"grün"}', 'id' => ''],
                ['event' => 'message', 'data' => "one\ntwo", 'id' => ''],
            ], iterator_to_array(Streams::events(str_split($events, $size)), false));
            $lines = str_split("{\"a\":\"ü\"}\r\n\n{\"a\":2}", $size);
            same([['a' => 'ü'], ['a' => 2]], iterator_to_array(Streams::jsonLines($lines), false));
        }
    },
    'a stream that ends before the answer does, or tells an error, is an error' => static function (): void {
        foreach ([
            'stream_ended' => "event: delta\ndata: {\"text\":\"We\"}\n\n",
            'MODEL_FAILED' => "event: error\ndata: {\"code\":\"MODEL_FAILED\",\"message\":\"no\"}\n\n",
        ] as $code => $text) {
            $client = new Client('http://a', null, new Scripted(answer(200, $text)));
            $read = static fn () => iterator_to_array($client->chatStream('default', ['message' => '?']));
            same($code, refused($read)->code);
        }
    },
    'live events go on after the last one when the connection breaks' => static function (): void {
        $transport = new Scripted(
            answer(200, "id: cur_1\n\n"),
            new NetworkError('reset'),
            answer(200, "id: evt_1\ndata: {\"id\":\"evt_1\"}\n\n"),
            answer(401),
        );
        $events = (new Client('http://a', null, $transport, retries: 0))->streamEvents();
        same('evt_1', $events->current()['id']);
        same(401, refused(static fn () => $events->next())->status);
        $urls = array_map(static fn ($request): string => $request->url, $transport->requests);
        same(['', '?after=cur_1', '?after=cur_1', '?after=evt_1'], str_replace('http://a/events', '', $urls));
    },
];
