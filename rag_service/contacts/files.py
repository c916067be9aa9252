"""Contacts as CSV. What is exported can be imported again, and says the same."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.contacts.fields import read_contact
from rag_service.contacts.store import Contact, ContactFields, ContactStore, Outcome
from rag_service.errors import Invalid, Unreadable
from rag_service.fields import read_object
from rag_service.readers.encodings import decode
from rag_service.texts.spreadsheets import BYTE_ORDER_MARK, cell, lines, text_of

_OURS = ("email", "name", "phone", "user_id", "metadata")
COLUMNS = (*_OURS, "created_at", "updated_at", "contact_id")
_TELL_WHO = {"email", "phone", "user_id"}
_DELIMITERS = ",;\t"
_GROUP = 500
_MOST_ERRORS = 1000


class Row(Struct, frozen=True, kw_only=True):
    """A record of the file, from `line` on, which counts from 1; `error` is why it is none."""

    line: int
    fields: ContactFields | None
    error: str = ""


class LineError(Struct, frozen=True, kw_only=True):
    line: int
    reason: str


class ImportReport(Struct, frozen=True, kw_only=True):
    """Counts of contacts, and of the lines that are none. `errors` has the first 1,000."""

    created: int
    updated: int
    unchanged: int
    failed: int
    errors: list[LineError]


def csv_lines(groups: Iterable[list[Contact]]) -> Iterator[str]:
    """The whole file, a group of contacts at a time; no cell is a formula to a spreadsheet."""
    yield BYTE_ORDER_MARK + lines([COLUMNS])
    for contacts in groups:
        yield lines([cell(getattr(one, name)) for name in COLUMNS] for one in contacts)


class ContactFile:
    """A file with a header row, its cells apart by commas, semicolons or tabs, in any encoding.

    A column that is none of ours becomes a key of the metadata. `region` as for `read_contact`.
    Raises Invalid for what can hold no contacts.
    """

    def __init__(self, data: bytes, region: str | None = None) -> None:
        try:
            text = decode(data)
        except Unreadable as error:
            raise _unfit(error.reason) from error
        found = list(io.StringIO(text, newline=""))
        header = next((line for line in found if line.strip()), "")
        self.lines = len(found)
        self._region = region
        self._records = _records(found, max(_DELIMITERS, key=header.count))
        _, names, fault = next(self._records, (0, [], ""))
        if fault:
            raise _unfit(f"has a header that cannot be read: {fault}")
        self._columns = _columns(names)

    def rows(self) -> Iterator[Row]:
        """Once, in order; blank ones are left out. A bad one does not stop the others."""
        for line, cells, fault in self._records:
            fields = None
            if not fault:
                try:
                    fields = self._fields(cells)
                except Invalid as error:
                    fault = error.told()
            yield Row(line=line, fields=fields, error=fault)

    def _fields(self, cells: list[str]) -> ContactFields:
        if len(cells) > len(self._columns):
            raise Invalid(f"has {len(cells)} cells where the header has {len(self._columns)}")
        # an empty cell is known to say nothing, also where the metadata have a userId
        body: dict[str, Any] = {"user_id": None} if "user_id" in self._columns else {}
        others: dict[str, Any] = {}
        for name, text in zip(self._columns, map(text_of, cells), strict=False):
            if name in _OURS and text.strip():
                body[name] = text
            elif name and name not in COLUMNS and text.strip():
                others[name] = text.strip()
        metadata = _metadata(body.get("metadata"))
        if isinstance(metadata, dict):
            metadata = {**metadata, **others}
        return read_contact({**body, "metadata": metadata}, self._region)


def import_contacts(
    store: ContactStore,
    scope: Scope,
    file: ContactFile,
    advance: Callable[[int], None] = lambda _: None,
) -> ImportReport:
    """A number of contacts in each transaction; `advance` is told how many more lines are done."""
    counts: Counter[Outcome] = Counter()
    errors: list[LineError] = []
    failed = line = 0
    rows = file.rows()
    while group := list(islice(rows, _GROUP)):
        wanted = [row.fields for row in group if row.fields is not None]
        if wanted:
            counts.update(store.put(scope, wanted))
        bad = [LineError(line=row.line, reason=row.error) for row in group if row.fields is None]
        failed += len(bad)
        errors += bad[: _MOST_ERRORS - len(errors)]
        advance(group[-1].line - line)
        line = group[-1].line
    advance(file.lines - line)
    return ImportReport(
        created=counts["created"],
        updated=counts["updated"],
        unchanged=counts["unchanged"],
        failed=failed,
        errors=errors,
    )


def _records(found: list[str], delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """The first line of each, its cells, and what is wrong. After a bad one the next line begins
    another, so that a quotation mark too many takes no others with it."""
    start = 0
    while start < len(found):
        begun = start
        rest = map(found.__getitem__, range(begun, len(found)))
        reader = csv.reader(rest, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield start + 1, cells, ""
                start = begun + reader.line_num
        except csv.Error as error:
            yield start + 1, [], _CSV_ERRORS.get(str(error).partition(" ")[0], str(error))
            start += 1


_CSV_ERRORS = {
    "unexpected": "a quotation mark is opened and not closed",
    "field": "a cell is too long, or a quotation mark is opened and not closed",
}


def _columns(names: list[str]) -> list[str]:
    """Ours by their names here; a blank one is nobody's. Raises Invalid."""
    ours = {**{name: name for name in COLUMNS}, "userid": "user_id"}
    columns = [ours.get(name.strip().casefold(), name.strip()) for name in names]
    if _TELL_WHO.isdisjoint(columns):
        raise _unfit("has to begin with a header that names email, phone or user_id")
    for name, count in Counter(columns).items():
        if name and count > 1:
            raise _unfit(f"has two columns {name!r}")
    return columns


def _metadata(text: str | None) -> Any:
    """The text itself where it is no JSON, which `read_contact` then refuses."""
    try:
        return {} if text is None else read_object(text)
    except Invalid:
        return text


def _unfit(reason: str) -> Invalid:
    return Invalid(f"the file {reason}", {"file": reason})
