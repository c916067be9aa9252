"""Contacts as rows, and the conversations that their user ids link them to."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.contacts.changes import email_key, merged
from rag_service.contacts.fields import phone_part
from rag_service.contacts.store import (
    Contact,
    ContactChanges,
    ContactFields,
    ContactFilter,
    ContactStatus,
    Outcome,
)
from rag_service.conversations.store import Conversation
from rag_service.errors import Conflict, NotFound
from rag_service.events.happenings import ContactCreated, ContactUpdated, EventContact
from rag_service.ids import new_id
from rag_service.storage.sqlite.conversations import (
    CONVERSATION,
    CONVERSATIONS,
    erase_conversations,
    erase_notes,
    read_conversation,
)
from rag_service.storage.sqlite.database import RowsFile, as_json, insert, now
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.events import record

_EXPORT = 1000
_FIELDS = "email, name, phone, user_id, metadata"
_LINKED = "from conversation_users where conversation_users.user_id = contacts.user_id"
_CONTACT = f"""select contacts.id, contact_id, {_FIELDS}, created_at, updated_at,
    (select count(*) {_LINKED}), chat_deleted_at from contacts"""
_OF_STATUS: dict[ContactStatus | None, str] = {
    None: "1",
    "active": f"exists (select 1 {_LINKED})",
    "orphan": f"chat_deleted_at is null and not exists (select 1 {_LINKED})",
    "chat_deleted": f"chat_deleted_at is not null and not exists (select 1 {_LINKED})",
}


class SqliteContacts:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def add(self, scope: Scope, fields: ContactFields) -> Contact:
        scope.need_all("contacts")
        with self._rows.writing() as connection:
            _check_email(connection, fields.email, None)
            return _contact(connection, _add(connection, fields))

    def change(self, scope: Scope, contact_id: str, changes: ContactChanges) -> Contact:
        scope.need_all("contacts")
        with self._rows.writing() as connection:
            row = _need(connection, contact_id)
            _change(connection, row, changes)
            return _contact(connection, row)

    def get(self, scope: Scope, contact_id: str) -> Contact:
        scope.need_all("contacts")
        with self._rows.reading() as connection:
            return _contact(connection, _need(connection, contact_id))

    def page(
        self, scope: Scope, where: ContactFilter, *, limit: int, offset: int, ascending: bool
    ) -> tuple[int, list[Contact]]:
        which, values = _where(where)
        order = "asc" if ascending else "desc"
        scope.need_all("contacts")
        with self._rows.reading() as connection:
            total = connection.execute(
                f"select count(*) from contacts where {which}", values
            ).fetchone()[0]
            found = connection.execute(
                f"{_CONTACT} where {which} order by contacts.id {order} limit ? offset ?",
                [*values, limit, offset],
            )
            return total, [_read(row) for row in found]

    def export(
        self, scope: Scope, where: ContactFilter, *, ascending: bool
    ) -> Iterator[list[Contact]]:
        scope.need_all("contacts")  # at the call, and not when the first group is asked for
        return self._export(where, ascending)

    def _export(self, where: ContactFilter, ascending: bool) -> Iterator[list[Contact]]:
        which, values = _where(where)
        order = "asc" if ascending else "desc"
        with self._rows.reading() as connection:
            highest = connection.execute("select coalesce(max(id), 0) from contacts").fetchone()[0]
        first, last = 1, highest
        while True:
            with self._rows.reading() as connection:
                found = connection.execute(
                    f"""{_CONTACT} where contacts.id between ? and ? and {which}
                    order by contacts.id {order} limit ?""",
                    [first, last, *values, _EXPORT],
                ).fetchall()
            if not found:
                return
            yield [_read(row) for row in found]
            first, last = (found[-1][0] + 1, last) if ascending else (first, found[-1][0] - 1)

    def put(self, scope: Scope, group: Sequence[ContactFields]) -> list[Outcome]:
        scope.need_all("contacts")
        with self._rows.writing() as connection:
            return [_put(connection, fields) for fields in group]

    def delete(self, scope: Scope, contact_id: str, *, conversations: bool) -> int:
        scope.need_all("contacts")
        with self._rows.erasing() as connection:
            row = _need(connection, contact_id)
            linked = _conversations(connection, row) if conversations else []
            erase_notes(connection, linked)
            erase_conversations(connection, linked)
            connection.execute("delete from contacts where id = ?", [row])
            return len(linked)

    def conversations(
        self, scope: Scope, contact_id: str, *, limit: int, offset: int
    ) -> tuple[int, list[Conversation]]:
        scope.need_all("contacts")
        with self._rows.reading() as connection:
            linked = _conversations(connection, _need(connection, contact_id))
            found = connection.execute(
                f"""select {CONVERSATION} {CONVERSATIONS}
                where conversations.id in (select value from json_each(?))
                order by updated_at desc, conversations.id desc limit ? offset ?""",
                [as_json(linked), limit, offset],
            )
            return len(linked), [read_conversation(row) for row in found]


# -- reading -----------------------------------------------------------------------------------


def _where(where: ContactFilter) -> tuple[str, list[Any]]:
    parts, values = [_OF_STATUS[where.status]], []
    if where.since is not None:
        parts.append("created_at >= ?")
        values.append(where.since)
    if where.search is not None:
        parts.append("(instr(search, ?) or instr(phone, ?))")
        values += [where.search.casefold(), phone_part(where.search) or where.search]
    return " and ".join(parts), values


def _need(connection: sqlite3.Connection, contact_id: str) -> int:
    row = connection.execute(
        "select id from contacts where contact_id = ?", [contact_id]
    ).fetchone()
    if row is None:
        raise NotFound(f"no contact {contact_id!r}")
    return int(row[0])


def _contact(connection: sqlite3.Connection, row: int) -> Contact:
    return _read(connection.execute(f"{_CONTACT} where contacts.id = ?", [row]).fetchone())


def _read(row: Sequence[Any]) -> Contact:
    _, contact_id, *fields, created_at, updated_at, conversations, chat_deleted_at = row
    ended: ContactStatus = "orphan" if chat_deleted_at is None else "chat_deleted"
    return Contact(
        contact_id=contact_id,
        **_values(_fields(fields)),
        created_at=created_at,
        updated_at=updated_at,
        conversations=conversations,
        status="active" if conversations else ended,
    )


def _fields(row: Sequence[Any]) -> ContactFields:
    email, name, phone, user_id, metadata = row
    return ContactFields(
        email=email,
        name=name,
        phone=phone,
        user_id=user_id,
        metadata=msgspec.json.decode(metadata),
    )


def _values(fields: Struct) -> dict[str, Any]:
    return msgspec.structs.asdict(fields)


def _conversations(connection: sqlite3.Connection, row: int) -> list[int]:
    found = connection.execute(
        """select conversation from conversation_users
        where user_id = (select user_id from contacts where id = ?)""",
        [row],
    )
    return [conversation for (conversation,) in found]


# -- writing -----------------------------------------------------------------------------------


def _put(connection: sqlite3.Connection, fields: ContactFields) -> Outcome:
    row = _match(connection, fields)
    if row is None:
        _add(connection, fields)
        return "created"
    given = {name: value for name, value in _values(fields).items() if value is not None}
    return "updated" if _change(connection, row, ContactChanges(**given)) else "unchanged"


def _match(connection: sqlite3.Connection, fields: ContactFields) -> int | None:
    if fields.email is not None:
        which, value = "email_key = ?", email_key(fields.email)
    elif fields.user_id is not None:
        which, value = "user_id = ?", fields.user_id
    else:
        which, value = "phone = ? and email_key is null and user_id is null", fields.phone
    found = connection.execute(f"select id from contacts where {which} limit 2", [value]).fetchall()
    return int(found[0][0]) if len(found) == 1 else None


def _add(connection: sqlite3.Connection, fields: ContactFields) -> int:
    fields = merged(ContactFields(), ContactChanges(**_values(fields)))
    moment = now(connection)
    columns = {
        "contact_id": new_id("con"),
        "created_at": moment,
        "updated_at": moment,
        **_columns(fields),
    }
    row = insert(connection, "contacts", columns)
    created = ContactCreated(contact=_told(_contact(connection, row)))
    record(connection, created.at(moment, ""), _subject(row), contact=row)
    return row


def _change(connection: sqlite3.Connection, row: int, changes: ContactChanges) -> bool:
    """False when it was so before."""
    former = _fields(
        connection.execute(f"select {_FIELDS} from contacts where id = ?", [row]).fetchone()
    )
    fields = merged(former, changes)
    columns = _columns(fields)
    if columns == _columns(former):
        return False
    _check_email(connection, fields.email, row)
    if fields.user_id != former.user_id:
        columns["chat_deleted_at"] = None  # that was somebody else's
    connection.execute(
        f"""update contacts set {", ".join(f"{name} = ?" for name in columns)},
        updated_at = ? where id = ?""",
        [*columns.values(), now(connection), row],
    )
    updated = ContactUpdated(contact=_told(_contact(connection, row)))
    record(connection, updated.at(now(connection), ""), _subject(row), contact=row)
    return True


def _check_email(connection: sqlite3.Connection, email: str | None, row: int | None) -> None:
    """Raises Conflict when it is another contact's."""
    other = connection.execute(
        "select id, contact_id from contacts where email_key = ?", [email_key(email)]
    ).fetchone()
    if other is not None and other[0] != row:
        raise Conflict(f"the contact {other[1]} has this email already")


def _columns(fields: ContactFields) -> dict[str, str | None]:
    found = (fields.email, fields.name, fields.phone, fields.user_id)
    return {
        **_values(fields),
        "email_key": email_key(fields.email),
        "search": "\n".join(value.casefold() for value in found if value is not None),
        "metadata": as_json(fields.metadata),
    }


def _told(contact: Contact) -> EventContact:
    return EventContact(**{name: getattr(contact, name) for name in EventContact.__struct_fields__})


def _subject(contact: int) -> str:
    return f"contact {contact}"
