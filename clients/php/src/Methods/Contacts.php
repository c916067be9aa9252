<?php

declare(strict_types=1);

namespace RagService\Client\Methods;

use RagService\Client\Call;

/**
 * Bots and contacts.
 *
 * @internal a part of Client
 */
trait Contacts
{
    /**
     * Those that the token may use.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function listBots(array $options = []): array
    {
        return $this->sender->json(Call::of('GET /bots', [], $options));
    }

    /**
     * A new one.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function createBot(array $body, array $options = []): array
    {
        return $this->sender->json(Call::of('POST /bots', [], $options, $body, repeatable: false));
    }

    /**
     * A page of them.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function listContacts(array $options = []): array
    {
        return $this->sender->json(Call::of('GET /contacts', [], $options));
    }

    /**
     * All of them.
     *
     * @param array<string, mixed> $options
     * @return \Generator<int, array<string, mixed>>
     */
    public function iterateContacts(array $options = []): \Generator
    {
        return $this->items('/contacts', [], $options, 'contacts');
    }

    /**
     * All contacts that match, as a CSV file.
     *
     * @param array<string, mixed> $options
     * @return \Generator<int, string> its bytes
     */
    public function exportContacts(array $options = []): \Generator
    {
        return $this->file('/contacts', 'csv', $options);
    }

    /**
     * A new one.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function createContact(array $body, array $options = []): array
    {
        return $this->sender->json(
            Call::of('POST /contacts', [], $options, $body, repeatable: false),
        );
    }

    /**
     * Contacts of a CSV file; a bad line does not stop the others.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function importContacts(string $csv, array $options = []): array
    {
        return $this->sender->json(Call::of('POST /contacts/import', [], $options, $csv, Call::CSV));
    }

    /**
     * One of them.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function getContact(string $contactId, array $options = []): array
    {
        return $this->sender->json(Call::of('GET /contacts/{}', [$contactId], $options));
    }

    /**
     * What is not named stays.
     *
     * @param array<string, mixed> $body
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function updateContact(string $contactId, array $body, array $options = []): array
    {
        return $this->sender->json(Call::of('PATCH /contacts/{}', [$contactId], $options, $body));
    }

    /**
     * With its conversations, if `conversations` says so.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function deleteContact(string $contactId, array $options = []): array
    {
        return $this->sender->json(Call::of('DELETE /contacts/{}', [$contactId], $options));
    }

    /**
     * A page of the conversations of a contact.
     *
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    public function listContactConversations(string $contactId, array $options = []): array
    {
        return $this->sender->json(
            Call::of('GET /contacts/{}/conversations', [$contactId], $options),
        );
    }

    /**
     * All of them.
     *
     * @param array<string, mixed> $options
     * @return \Generator<int, array<string, mixed>>
     */
    public function iterateContactConversations(string $contactId, array $options = []): \Generator
    {
        return $this->items('/contacts/{}/conversations', [$contactId], $options, 'conversations');
    }
}
