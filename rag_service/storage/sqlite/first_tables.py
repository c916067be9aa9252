"""The tables of the first base, as steps of the schema: they have shipped and are never edited."""

from sqlite_utils import Database


def m001_knowledge(db: Database) -> None:
    for statement in (
        # one row: which base this is, and the embedding model that fills it
        "create table base (id text not null, model text, dimension integer)",
        "insert into base (id) values (lower(hex(randomblob(16))))",
        """create table bots (
            id integer primary key, name text not null unique, created_at text not null
        )""",
        # vectors are kept by what was embedded, whichever chunks use them
        """create table embeddings (
            id integer primary key, digest blob not null unique,
            vector blob not null -- little-endian float16
        )""",
        """create table documents (
            id integer primary key, document_id text not null unique,
            bot integer not null references bots(id), source_url text not null,
            content_type text not null, title text not null, metadata text not null,
            format text not null, bytes integer not null, chunks integer not null,
            fingerprint blob not null, created_at text not null, updated_at text not null,
            text text not null,
            unique (bot, source_url)
        )""",
        "create index documents_updated on documents(updated_at, id)",
        """create table chunks (
            id integer primary key autoincrement, -- also the id in both views: never reused
            document integer not null references documents(id) on delete cascade,
            bot integer not null, ordinal integer not null, start integer not null,
            "end" integer not null, page integer, heading text not null, text text not null,
            embedding integer not null references embeddings(id)
        )""",
        "create index chunks_document on chunks(document)",
        "create index chunks_bot on chunks(bot, id)",
        "create index chunks_embedding on chunks(embedding)",
        # what the views have to take over; written by triggers, so nothing can be forgotten
        """create table changes (
            seq integer primary key autoincrement, bot integer not null, chunk integer not null
        )""",
        "create index changes_bot on changes(bot, seq)",
        """create trigger chunk_added after insert on chunks
            begin insert into changes (bot, chunk) values (new.bot, new.id); end""",
        """create trigger chunk_removed after delete on chunks
            begin insert into changes (bot, chunk) values (old.bot, old.id); end""",
        """create table events (
            seq integer primary key autoincrement, id text not null unique, type text not null,
            bot_id text not null, created_at text not null, data text not null
        )""",
    ):
        db.execute(statement)


def m002_access(db: Database) -> None:
    db.execute(
        """create table tokens (
            name text primary key, digest blob not null unique, scopes text not null,
            bot_id text, rates text not null, created_at text not null
        )"""
    )


def m003_jobs(db: Database) -> None:
    for statement in (
        """create table jobs (
            id text primary key, state text not null, bot_ids text not null, owner text not null,
            total integer not null, done integer not null, embedded integer not null,
            unchanged integer not null, failed integer not null, "offset" integer not null,
            error text, created_at text not null, started_at text, finished_at text
        )""",
        "create index jobs_state on jobs(state, id)",
        """create table job_failures (
            job text not null references jobs(id) on delete cascade, line integer not null,
            source_url text, error text not null,
            primary key (job, line)
        ) without rowid""",
    ):
        db.execute(statement)


def m004_conversations(db: Database) -> None:
    for statement in (
        """create table conversations (
            id integer primary key autoincrement, conversation_id text not null,
            bot integer not null references bots(id), title text, metadata text not null,
            preview text not null default '', messages integer not null default 0,
            created_at text not null, updated_at text not null,
            unique (conversation_id, bot)
        )""",
        "create index conversations_updated on conversations(bot, updated_at, id)",
        # what the model was given, once for both rows of a turn
        """create table contexts (
            id integer primary key,
            conversation integer not null references conversations(id) on delete cascade,
            sources text not null
        )""",
        "create index contexts_conversation on contexts(conversation)",
        """create table messages (
            id integer primary key autoincrement, message_id text not null unique,
            conversation integer not null references conversations(id) on delete cascade,
            bot integer not null, kind integer not null, -- role and decision
            text text not null, created_at text not null, -- never before that of a lower id
            context integer references contexts(id) on delete set null,
            sender text not null, metadata text not null, reply_to text
        )""",
        "create index messages_conversation on messages(conversation, id)",
        "create index messages_kind on messages(kind, id)",
        "create index messages_bot on messages(bot, kind, id)",
        "create index messages_created on messages(created_at)",
        "create index messages_context on messages(context) where context is not null",
        # how many there are in each block of 1,024 ids: a page far down is found without a walk
        """create table message_counts (
            block integer not null, bot integer not null, kind integer not null,
            messages integer not null, primary key (block, bot, kind)
        ) without rowid""",
        """create trigger message_added after insert on messages begin
            insert into message_counts values (new.id >> 10, new.bot, new.kind, 1)
            on conflict do update set messages = messages + 1; end""",
        """create trigger message_removed after delete on messages begin
            update message_counts set messages = messages - 1
            where block = old.id >> 10 and bot = old.bot and kind = old.kind; end""",
        """create trigger message_decided after update of kind on messages begin
            update message_counts set messages = messages - 1
            where block = old.id >> 10 and bot = old.bot and kind = old.kind;
            insert into message_counts values (new.id >> 10, new.bot, new.kind, 1)
            on conflict do update set messages = messages + 1; end""",
        """create table owed (
            message integer primary key references messages(id) on delete cascade,
            owner text not null, tries integer not null, error text
        )""",
        # no foreign keys: without `cascade` they outlive what they are of
        """create table translations (
            message_id text not null, language text not null, session_id text not null,
            bot integer not null, text text not null, created_at text not null,
            primary key (message_id, language)
        ) without rowid""",
        "create index translations_session on translations(session_id, bot)",
        """create table clicks (
            id integer primary key, session_id text not null, bot integer not null,
            message_id text, url text not null, created_at text not null
        )""",
        "create index clicks_session on clicks(session_id, bot)",
        """alter table events add column conversation integer
            references conversations(id) on delete cascade""",
        """create index events_conversation on events(conversation)
            where conversation is not null""",
    ):
        db.execute(statement)
