"""The tables, migration by migration. A migration that has shipped is never edited.

Every statement is executed by itself: `executescript` would commit the transaction around it.
Foreign keys are not enforced meanwhile, so that a table may be rebuilt; they are checked after it.
The file grows with the history, which is read from the first step to the last: it may have more
than 300 lines. The tables of the first base stand in `first_tables`.
"""

import secrets

import msgspec
from sqlite_utils import Database, Migrations

from rag_service.conversations.messages import Source
from rag_service.storage.sqlite.first_tables import (
    m001_knowledge,
    m002_access,
    m003_jobs,
    m004_conversations,
)
from rag_service.storage.sqlite.metadata_values import index_metadata
from rag_service.storage.sqlite.quotes import quote

schema = Migrations("rag_service")
for first in (m001_knowledge, m002_access, m003_jobs, m004_conversations):
    schema()(first)


@schema()
def m005_message_text(db: Database) -> None:
    """Substrings of what was said, found by the three-letter pieces they are made of."""
    for statement in (
        """create virtual table messages_text using fts5(
            text, content = 'messages', content_rowid = 'id', tokenize = 'trigram'
        )""",
        """create trigger message_text_added after insert on messages begin
            insert into messages_text (rowid, text) values (new.id, new.text); end""",
        """create trigger message_text_removed after delete on messages begin
            insert into messages_text (messages_text, rowid, text)
            values ('delete', old.id, old.text); end""",
    ):
        db.execute(statement)


@schema()
def m006_calibrations(db: Database) -> None:
    db.execute(
        """create table calibrations (
            bot integer primary key references bots(id), scale real not null, shift real not null,
            created_at text not null
        )"""
    )


@schema()
def m007_subjects(db: Database) -> None:
    db.execute("alter table events add column subject text not null default ''")


@schema()
def m008_webhooks(db: Database) -> None:
    for statement in (
        """create table webhooks (
            id integer primary key autoincrement, webhook_id text not null unique,
            url text not null, events text not null, bot_id text, description text not null,
            secrets text not null, enabled integer not null, reason text,
            failures integer not null default 0, failing_since text,
            created_at text not null, updated_at text not null
        )""",
        # one row: the last event that was given to the webhooks that want it
        "create table outbox (seq integer not null)",
        "insert into outbox select coalesce(max(seq), 0) from events",
        """create table deliveries (
            id integer primary key autoincrement, delivery_id text not null unique,
            webhook integer not null references webhooks(id) on delete cascade,
            event integer references events(seq) on delete cascade, -- null: a test
            event_id text not null, type text not null, subject text not null,
            state text not null, -- waiting for another of its subject, due, delivered, failed
            attempts integer not null default 0, next_at text,
            created_at text not null, ended_at text
        )""",
        "create index deliveries_page on deliveries(webhook, id)",
        "create index deliveries_event on deliveries(event) where event is not null",
        "create index deliveries_due on deliveries(webhook, next_at) where state = 'due'",
        """create index deliveries_subject on deliveries(webhook, subject, id)
            where state in ('waiting', 'due')""",
        "create index deliveries_ended on deliveries(ended_at) where ended_at is not null",
        """create table attempts (
            id integer primary key, at text not null, status integer, duration_ms integer not null,
            response text not null, error text,
            delivery integer not null references deliveries(id) on delete cascade
        )""",
        "create index attempts_delivery on attempts(delivery, id)",
    ):
        db.execute(statement)


@schema()
def m009_contacts(db: Database) -> None:
    for statement in (
        """create table contacts (
            id integer primary key autoincrement, -- also the subject of its events: never reused
            contact_id text not null unique, email text, email_key text unique, name text,
            phone text, user_id text, created_at text not null, updated_at text not null,
            chat_deleted_at text, -- when a conversation of this user was deleted the last time
            search text not null, -- what is looked through, folded, a line each
            metadata text not null
        )""",
        "create index contacts_user on contacts(user_id) where user_id is not null",
        """create index contacts_phone on contacts(phone)
            where email_key is null and user_id is null""",
        # who has spoken where, as the clients' own systems know them
        """create table conversation_users (
            user_id text not null,
            conversation integer not null references conversations(id) on delete cascade,
            primary key (user_id, conversation)
        ) without rowid""",
        "create index conversation_users_conversation on conversation_users(conversation)",
        """insert or ignore into conversation_users
            select json_extract(sender, '$.id'), conversation from messages
            where json_extract(sender, '$.type') = 'user'
            and coalesce(json_extract(sender, '$.id'), '') <> '' order by 1, 2""",
        """create trigger conversation_user_removed after delete on conversation_users begin
            update contacts set chat_deleted_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
            where user_id = old.user_id; end""",
        """alter table events add column contact integer
            references contacts(id) on delete cascade""",
        "create index events_contact on events(contact) where contact is not null",
    ):
        db.execute(statement)


@schema()
def m010_evidence(db: Database) -> None:
    for statement in (
        # of what was embedded: the vectors of its sentences; null where they were not taken
        "alter table embeddings add column sentences blob",
        # the model and the decision that a calibration was fitted to; '' before this was noted
        "alter table calibrations add column made_with text not null default ''",
    ):
        db.execute(statement)


@schema()
def m011_left_out(db: Database) -> None:
    for statement in (
        # what the reader of its file did not take, a JSON list
        "alter table documents add column left_out text not null default '[]'",
        # whether its documents fail where something is left out
        "alter table jobs add column strict integer not null default 0",
    ):
        db.execute(statement)


@schema()
def m012_upkeep(db: Database) -> None:
    for statement in (
        # deleted text that is not out of every file yet: of the log (bot 0), or of a bot's views
        # that hold no more than the changes up to `seq`
        """create table erasures (
            id integer primary key autoincrement, bot integer not null, seq integer not null,
            created_at text not null
        )""",
        # FTS5 takes deleted pieces of text out at once
        "insert into messages_text (messages_text, rank) values ('secure-delete', 1)",
        # one row: when what has outlived its use was removed for the last time
        "create table upkeep (ended_at text not null)",
        "insert into upkeep values (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
        # up to which change they were removed: views that are older are compared with the rows
        "create table pruned (bot integer primary key, seq integer not null)",
        # which sealed views are of these rows, and not of rows that a backup has replaced
        """create table seals (
            token text primary key, bot integer not null, seq integer not null
        ) without rowid""",
        "create index seals_bot on seals(bot, seq)",
        # vectors without a chunk, and since when
        """create table unused_embeddings (
            embedding integer primary key references embeddings(id) on delete cascade,
            since text not null
        )""",
        """insert into unused_embeddings select id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
            from embeddings where id not in (select embedding from chunks)""",
        """create trigger embedding_unused after delete on chunks
            when not exists (select 1 from chunks where embedding = old.embedding) begin
            insert or replace into unused_embeddings
            values (old.embedding, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')); end""",
        "create index events_created on events(created_at)",
        "create index jobs_finished on jobs(finished_at) where finished_at is not null",
    ):
        db.execute(statement)
    # m005 did not index the messages that were there before it
    counts = "(select count(*) from messages), (select count(*) from messages_text_docsize)"
    messages, indexed = db.conn.execute(f"select {counts}").fetchone()
    if messages != indexed:
        db.execute("insert into messages_text (messages_text) values ('rebuild')")


@schema()
def m013_document_text(db: Database) -> None:
    """What `GET /knowledge?q=` looks through: folded, by the three-letter pieces of each field.

    `fold` is a function of every connection that we open.
    """
    folded = "fold({0}.source_url), fold({0}.title), fold({0}.text)"
    columns = "(rowid, source_url, title, text)"
    for statement in (
        """create virtual table documents_text using fts5(
            source_url, title, text, tokenize = 'trigram case_sensitive 1'
        )""",
        f"""insert into documents_text {columns}
            select id, {folded.format("documents")} from documents""",
        f"""create trigger document_text_added after insert on documents begin
            insert into documents_text {columns} values (new.id, {folded.format("new")}); end""",
        f"""create trigger document_text_changed
            after update of source_url, title, text on documents begin
            delete from documents_text where rowid = old.id;
            insert into documents_text {columns} values (new.id, {folded.format("new")}); end""",
        """create trigger document_text_removed after delete on documents begin
            delete from documents_text where rowid = old.id; end""",
    ):
        db.execute(statement)


@schema()
def m014_quotes(db: Database) -> None:
    """The passages of contexts once each, instead of a copy in every context."""
    for statement in (
        """create table quotes (
            id integer primary key, digest blob not null unique, source_url text not null,
            chunk_id text not null, title text not null, text text not null
        )""",
        """create table context_quotes (
            context integer not null references contexts(id) on delete cascade,
            place integer not null, quote integer not null references quotes(id),
            score real not null, used integer, -- null before there is an answer
            primary key (context, place)
        ) without rowid""",
        "create index context_quotes_quote on context_quotes(quote)",
        """create trigger quote_unused after delete on context_quotes
            when not exists (select 1 from context_quotes where quote = old.quote) begin
            delete from quotes where id = old.quote; end""",
    ):
        db.execute(statement)
    for context, sources in db.conn.execute("select id, sources from contexts"):
        quote(db.conn, context, msgspec.json.decode(sources, type=list[Source]))
    db.execute("alter table contexts drop column sources")


@schema()
def m015_times(db: Database) -> None:
    """Rows keep their true times, so ids no longer tell which rows are of a time."""
    for statement in (
        """create table message_times (
            block integer primary key, first text not null, last text not null -- or before, after
        )""",
        """insert into message_times select id >> 10, min(created_at), max(created_at)
            from messages group by 1""",
        """create trigger message_timed after insert on messages begin
            insert into message_times values (new.id >> 10, new.created_at, new.created_at)
            on conflict do update set first = min(first, excluded.first),
            last = max(last, excluded.last); end""",
    ):
        db.execute(statement)


@schema()
def m016_gaps(db: Database) -> None:
    for statement in (
        # a question that the knowledge did not answer; never changed
        """create table signals (
            id integer primary key autoincrement,
            message integer not null unique references messages(id) on delete cascade,
            bot integer not null references bots(id), kind text not null,
            question text not null, -- as it was searched
            vector blob not null, -- little-endian float16
            judgement text not null, -- of that moment
            newest_chunk integer not null, -- of its bot at that moment
            person text not null, asked_at text not null
        )""",
        "create index signals_bot on signals(bot, id)",
        # clusters of signals; the columns from `questions` on are made of them
        """create table gaps (
            id integer primary key autoincrement, gap_id text not null unique,
            bot integer not null references bots(id), state text not null,
            title text, note text not null default '', -- a person's
            answer_url text, -- the page that a person wrote for it
            is_pinned integer not null default 0, -- a person merged or named it: it stays together
            merged_into integer references gaps(id) on delete cascade,
            opened_at text not null, closed_at text, closed_by text,
            reopened integer not null default 0,
            questions integer not null default 0, people integer not null default 0,
            kind text not null default 'none', first_asked text not null default '',
            last_asked text not null default '', confidence real not null default 0,
            middle integer references signals(id) on delete set null
        )""",
        "create index gaps_state on gaps(bot, state)",
        "create index gaps_merged on gaps(merged_into) where merged_into is not null",
        "create index gaps_middle on gaps(middle) where middle is not null",
        # which signal is of which gap, and what the knowledge says to it now
        """create table gap_questions (
            signal integer primary key references signals(id) on delete cascade,
            gap integer not null references gaps(id) on delete cascade,
            answered integer not null, confidence real not null, nearest real not null,
            chunk integer, score real, absent text not null,
            seen integer not null -- the last change of chunks that this knows of
        )""",
        "create index gap_questions_gap on gap_questions(gap, answered)",
        "create index gap_questions_chunk on gap_questions(chunk) where chunk is not null",
        """create table gap_history (
            id integer primary key, gap integer not null references gaps(id) on delete cascade,
            at text not null, what text not null, detail text not null -- no words of a question
        )""",
        "create index gap_history_gap on gap_history(gap, id)",
        # how far a bot's ledger is
        """create table ledgers (
            bot integer primary key references bots(id),
            sorted integer not null default 0, -- the last signal that is of a gap
            seq integer not null default 0, -- the last change of chunks that was considered
            sweep integer, -- the last signal that a sweep over all of them has asked again
            made_with text not null default '', -- the decision that judged
            revision integer not null default 0 -- raised by all that changes its members
        )""",
        """create trigger signal_removed after delete on signals begin
            update ledgers set revision = revision + 1 where bot = old.bot; end""",
        """create table feedback (
            message integer primary key references messages(id) on delete cascade,
            rating text not null, comment text not null, created_at text not null
        )""",
        "alter table events add column gap integer references gaps(id) on delete cascade",
        "create index events_gap on events(gap) where gap is not null",
    ):
        db.execute(statement)


@schema()
def m017_widget(db: Database) -> None:
    """Where a widget's key may be used, and what visitors' sessions are signed with."""
    db.execute("alter table tokens add column origins text not null default '[]'")
    db.execute(
        "create table signing_keys (id integer primary key check (id = 1), key blob not null)"
    )
    db.execute("insert into signing_keys (id, key) values (1, ?)", [secrets.token_bytes(32)])


@schema()
def m018_metadata_values(db: Database) -> None:
    """What filters on metadata read."""
    for statement in (
        # the values of each key: numbers, texts, and blobs for what is neither
        """create table metadata_values (
            document integer not null references documents(id) on delete cascade,
            bot integer not null, key text not null, value not null,
            primary key (document, key, value)
        ) without rowid""",
        "create index metadata_values_found on metadata_values(bot, key, value)",
        # when each document was written last, for whoever keeps what a filter leaves
        """create table filings (
            seq integer primary key autoincrement, bot integer not null,
            document integer not null unique references documents(id) on delete cascade
        )""",
        "create index filings_bot on filings(bot, seq)",
        """create trigger document_filed after insert on documents begin
            insert into filings (bot, document) values (new.bot, new.id); end""",
        """create trigger document_filed_again after update on documents begin
            insert or replace into filings (bot, document) values (new.bot, new.id); end""",
        "insert into filings (bot, document) select bot, id from documents order by id",
    ):
        db.execute(statement)
    for document, bot, metadata in db.conn.execute("select id, bot, metadata from documents"):
        index_metadata(db.conn, document, bot, msgspec.json.decode(metadata))


@schema()
def m019_continuations(db: Database) -> None:
    """Whose a conversation is, and digests of what was said, by which its client finds it again."""
    db.execute("alter table conversations add column owner blob")
    db.execute("alter table messages add column fingerprint blob")
    db.execute(
        """create index messages_fingerprint on messages(fingerprint)
        where fingerprint is not null"""
    )


@schema()
def m020_filtered_signals(db: Database) -> None:
    """The filter that a question was asked with."""
    db.execute("alter table signals add column filter text")
