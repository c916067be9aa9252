<?php

/** The methods, against a service. */

declare(strict_types=1);

use GuzzleHttp\Psr7\HttpFactory;
use Psr\Http\Client\ClientInterface;
use RagService\Client\Client;
use RagService\Client\Http\Psr18Transport;

const BOT = 'php';
const HOURS = 'What are your business hours?';
const PAGE = [
    'source_url' => 'https://example.com/hours',
    'content' => 'Our business hours are Monday to Friday, 9 AM to 5 PM.',
    'bot_id' => BOT,
];

client()->pushPage(PAGE);

return [
    'a page is pushed, listed, read, found and deleted' => static function (): void {
        $url = 'https://example.com/bicycles';
        $page = ['source_url' => $url, 'content' => 'Bicycles stand behind the house.', 'bot_id' => BOT];
        $pushed = client()->pushPage($page);
        same(false, $pushed['unchanged']);
        same(true, client()->pushPage($page, ['dry_run' => true])['unchanged']);
        $listed = client()->listPages(['bot_id' => BOT, 'source_url' => $url]);
        same([$pushed['document_id']], array_column($listed['items'], 'document_id'));
        same($page['content'], client()->getPage($pushed['document_id'])['text']);
        $found = client()->search(['query' => 'Where do bicycles stand?', 'bot_id' => BOT, 'k' => 1]);
        same($url, $found['results'][0]['source_url']);
        same(1, client()->deletePages(['source_url' => [$url], 'bot_id' => BOT])['urls_deleted']);
    },
    'a question is answered, whole and as a stream' => static function (): void {
        $reply = client()->chat(BOT, ['message' => HOURS, 'metadata' => ['userId' => 'u-1']]);
        holds(str_contains($reply['response'], 'Monday'), $reply['response']);
        $how = ['message' => HOURS, 'conversationId' => $reply['conversationId']];
        $events = iterator_to_array(client()->chatStream(BOT, $how), false);
        same('sources', $events[0]['event']);
        $said = implode('', array_map(static fn (array $one): string => $one['data']['text'] ?? '', $events));
        holds(str_contains($said, 'Monday'), $said);
        $done = $events[count($events) - 1];
        same('done', $done['event']);
        $rated = client()->rateAnswer(BOT, $done['data']['messageId'], ['rating' => 'up']);
        same('up', $rated['feedback']['rating']);
        same(null, client()->rateMessage($done['data']['messageId'], ['rating' => null])['feedback']);
        same(4, count(client()->getConversation(BOT, $reply['conversationId'])['messages']));
    },
    'an answer comes piece by piece, and leaving it early ends it' => static function (): void {
        foreach (client()->chatStream(BOT, ['message' => HOURS]) as ['event' => $event, 'data' => $data]) {
            if ($event === 'sources') {
                break;
            }
        }
        $rows = iterator_to_array(client()->iterateTranscripts(['session_id' => $data['conversationId']]), false);
        holds(in_array(HOURS, array_column($rows, 'message'), true), 'the question is kept');
    },
    'a batch tells what came of each line, and a job when it is over' => static function (): void {
        $pages = [['source_url' => 'https://example.com/b'] + PAGE, ['content' => 'no URL']];
        $results = iterator_to_array(client()->streamBatch($pages), false);
        same([[1, true], [2, false]], array_map(static fn (array $one): array => [$one['line'], $one['success']], $results));
        $made = (static function (): Generator {
            foreach ([1, 2, 3] as $n) {
                yield ['source_url' => "https://example.com/c/$n"] + PAGE;
            }
        })();
        $jobId = client()->pushBatch($made)['job_id'];
        $job = client()->waitForJob($jobId, 0.02);
        same(['succeeded', 3], [$job['state'], $job['counts']['done']]);
        same('succeeded', client()->cancelJob($jobId)['state']);
    },
    'files are uploaded, by path and by name' => static function (): void {
        $path = sys_get_temp_dir() . '/rag-ünï-' . getmypid() . '.md';
        file_put_contents($path, "# Ünïcode\n\nA page.");
        try {
            $files = [$path, 'b "quoted".txt' => 'Text.'];
            $results = iterator_to_array(client()->streamUpload($files, ['bot_id' => BOT]), false);
            same([true, true], array_column($results, 'success'));
            $jobId = client()->uploadFiles(['c.html' => '<p>Text.</p>'], ['bot_id' => BOT])['job_id'];
            same(0, client()->waitForJob($jobId, 0.02)['counts']['failed']);
        } finally {
            unlink($path);
        }
    },
    'all items of a list come, over its pages' => static function (): void {
        $lines = implode("\n", array_map(static fn (int $n): string => "php-$n", range(1, 130)));
        client()->importContacts("user_id\n$lines\n");
        $contacts = iterator_to_array(client()->iterateContacts(['search' => 'php-']), false);
        same(130, count(array_unique(array_column($contacts, 'userId'))));
        same(130, count(iterator_to_array(client()->iterateLeads(['search' => 'php-']), false)));
        $pages = array_map(
            static fn (int $n): array => ['source_url' => "https://a/$n", 'bot_id' => 'php-many'] + PAGE,
            range(1, 101),
        );
        iterator_to_array(client()->streamBatch($pages), false);
        $urls = array_column(iterator_to_array(client()->iteratePages(['bot_id' => 'php-many']), false), 'source_url');
        same(101, count(array_unique($urls)));
    },
    'exports are files' => static function (): void {
        client()->chat(BOT, ['message' => HOURS]);
        $csv = implode('', iterator_to_array(client()->exportTranscripts('csv', ['bot_id' => BOT]), false));
        holds(str_contains($csv, 'id,session_id'), $csv);
        holds(str_contains(implode('', iterator_to_array(client()->exportContacts(), false)), 'email'), 'contacts');
        holds(str_contains(implode('', iterator_to_array(client()->exportGaps(), false)), 'gap_id'), 'gaps');
    },
    'events come live, and after a cursor' => static function (): void {
        $after = client()->listEvents(['limit' => 1000])['next'];
        $sent = client()->sendMessage(['sender_id' => 'php', 'sender_type' => 'agent', 'text' => 'Hello']);
        foreach (client()->streamEvents(['after' => $after, 'types' => ['message.created']]) as $event) {
            same($sent['message']['id'], $event['data']['message']['id']);
            break;
        }
    },
    'what is refused is an error with status, code and parameters' => static function (): void {
        $error = refused(static fn () => client()->listTranscripts(['limit' => 1001]));
        same([400, 'rest_invalid_param'], [$error->status, $error->getCode()]);
        same(['limit'], array_keys($error->params));
        $error = refused(static fn () => client()->chat('nobody', ['message' => 'Hello']));
        same([404, 'BOT_NOT_FOUND'], [$error->status, $error->code]);
        $stream = static fn () => iterator_to_array(client()->chatStream('nobody', ['message' => 'Hello']));
        same(404, refused($stream)->status);
        $message = ['sender_id' => 'a', 'sender_type' => 'user', 'text' => 'b'];
        $error = refused(static fn () => client(token: 'wrong')->sendMessage($message));
        same(['http_401', 'Invalid or expired token.'], [$error->code, $error->getMessage()]);
        $error = refused(static fn () => (new Client('http://127.0.0.1:9', retries: 0))->health());
        same([0, 'network'], [$error->status, $error->code]);
        raised(InvalidArgumentException::class, static fn () => client()->getPage(''));
    },
    'conversations, gaps, webhooks and contacts are made, changed and deleted' => static function (): void {
        $session = 'a/b ?ü';
        client()->askBot(BOT, ['message' => 'Hello', 'sessionId' => $session]);
        same('T', client()->updateConversation(BOT, $session, ['title' => 'T'])['title']);
        same(true, client()->deleteConversation(BOT, $session)['deleted']);
        client()->chat(BOT, ['message' => 'Who mends xylophones in winter?']);
        do {
            $gaps = client()->listGaps(['bot_id' => BOT, 'q' => 'xylophones'])['items'];
        } while ($gaps === []);
        same('in winter', client()->updateGap($gaps[0]['gap_id'], ['note' => 'in winter'])['note']);
        $answer = ['answer' => 'Ann mends xylophones.'];
        same(true, client()->answerGap($gaps[0]['gap_id'], $answer, ['dry_run' => true])['push']['success']);
        holds(iterator_to_array(client()->iterateGaps(['bot_id' => BOT]), false) !== [], 'gaps');
        same([], iterator_to_array(client()->goldenQuestions(['bot_id' => 'php-many']), false));
        $hook = client()->createWebhook(['url' => 'https://93.184.216.34/', 'events' => ['message.*']]);
        holds(client()->rotateWebhookSecret($hook['id'])['secret'] !== $hook['secret'], 'a new secret');
        same([], iterator_to_array(client()->iterateDeliveries($hook['id']), false));
        same(true, client()->deleteWebhook($hook['id'])['deleted']);
        $contact = client()->createContact(['userId' => 'php-hooks']);
        same('Ann', client()->updateContact($contact['id'], ['name' => 'Ann'])['name']);
        same(true, client()->deleteContact($contact['id'])['deleted']);
    },
    'a client of PSR-18 sends as well' => static function (): ?string {
        if (!class_exists(HttpFactory::class) || !interface_exists(ClientInterface::class)) {
            return 'guzzlehttp/psr7 and psr/http-client are not installed';
        }
        require __DIR__ . '/ForeignClient.php';
        $factory = new HttpFactory();
        $transport = new Psr18Transport(new ForeignClient($factory, $factory), $factory, $factory);
        $client = new Client((string) getenv('SERVICE_URL'), (string) getenv('SERVICE_TOKEN'), $transport);
        $events = iterator_to_array($client->chatStream(BOT, ['message' => HOURS]), false);
        same('done', $events[count($events) - 1]['event']);
        same(404, refused(static fn () => $client->chat('nobody', ['message' => 'Hello']))->status);
        $away = new Client('http://127.0.0.1:9', null, $transport, retries: 0);
        same(0, refused(static fn () => $away->health())->status);
        return null;
    },
];
