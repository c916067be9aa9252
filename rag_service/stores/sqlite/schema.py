"""The tables, migration by migration. A migration that has shipped is never edited.

Every statement is executed by itself: `executescript` would commit the transaction around it.
"""

from sqlite_utils import Database, Migrations

schema = Migrations("rag_service")


@schema()
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


@schema()
def m002_access(db: Database) -> None:
    db.execute(
        """create table tokens (
            name text primary key, digest blob not null unique, scopes text not null,
            bot_id text, rates text not null, created_at text not null
        )"""
    )


@schema()
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
