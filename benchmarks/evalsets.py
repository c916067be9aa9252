"""Question sets in folders: corpus.jsonl.gz {id, title, text}, queries.jsonl.gz {id, text,
answerable?}, qrels.tsv (query, document, grade); made-up ones where no folder is given.
"""

import gzip
import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from corpus import SEED, read_corpus

Row = dict[str, Any]


class QuestionSet(NamedTuple):
    name: str
    documents: list[Row]
    queries: list[Row]
    grades: dict[str, dict[str, float]]
    """By query and document."""
    folder: Path | None

    def answerable(self) -> list[Row]:
        return [query for query in self.queries if self.grades.get(query["id"])]


def url_of(row: Row) -> str:
    return f"doc:{row['id']}"


class Placed:
    """A document in which passages are found again, whatever became of its white space."""

    def __init__(self, text: str) -> None:
        self._places = [place for place, letter in enumerate(text) if not letter.isspace()]
        self._letters = "".join(text.split())

    def find(self, passage: str) -> range | None:
        """Its first place, in characters of the document; None when it does not stand in it."""
        letters = "".join(passage.split())
        start = self._letters.find(letters)
        if not letters or start < 0:
            return None
        return range(self._places[start], self._places[start + len(letters) - 1] + 1)


def pushes(rows: Iterable[Row], bot: str, **more: str) -> bytes:
    """POST /knowledge bodies; a record that is only a title says that."""
    return b"".join(
        json.dumps(
            {
                "source_url": url_of(row),
                "title": row.get("title") or "",
                "content": row["text"] or row.get("title") or "-",
                "bot_id": bot,
                **more,
            }
        ).encode()
        + b"\n"
        for row in rows
    )


def question_sets(folder: Path | None, small: bool) -> list[QuestionSet]:
    """Sets that have answers to find; with `small` a few queries of each."""
    if folder is None:
        return [_made_up()]
    found = [
        _read(path)
        for path in sorted(folder.iterdir())
        if (path / "corpus.jsonl.gz").exists() and (path / "qrels.tsv").exists()
    ]
    return [_smaller(one) for one in found] if small else found


def half(one: QuestionSet) -> tuple[QuestionSet, list[bool]]:
    """Half of the documents, and for each answerable query whether they hold an answer.

    Documents of the same title stay together where titles repeat, as those of an article do.
    """
    titles = [row.get("title") or "" for row in one.documents]
    together = 1 < len(set(titles)) <= len(titles) // 4
    keys = titles if together else [row["id"] for row in one.documents]
    names = sorted(set(keys))
    random.Random(SEED).shuffle(names)
    chosen = set(names[: len(names) // 2])
    kept = [row for row, key in zip(one.documents, keys, strict=True) if key in chosen]
    ids = {row["id"] for row in kept}
    queries = one.answerable()
    truth = [not ids.isdisjoint(one.grades[query["id"]]) for query in queries]
    return one._replace(name=f"{one.name}-half", documents=kept, queries=queries), truth


def read_rows(path: Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _read(folder: Path) -> QuestionSet:
    grades: dict[str, dict[str, float]] = {}
    for line in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")[:3]
        if float(grade) > 0:
            grades.setdefault(query, {})[document] = float(grade)
    documents = read_rows(folder / "corpus.jsonl.gz")
    queries = read_rows(folder / "queries.jsonl.gz")
    return QuestionSet(folder.name, documents, queries, grades, folder)


def _smaller(one: QuestionSet) -> QuestionSet:
    queries = random.Random(SEED).sample(one.queries, min(20, len(one.queries)))
    wanted = {document for query in queries for document in one.grades.get(query["id"], {})}
    rest = [row for row in one.documents if row["id"] not in wanted][:50]
    kept = [row for row in one.documents if row["id"] in wanted] + rest
    return one._replace(documents=kept, queries=queries)


def _made_up() -> QuestionSet:
    """Sentences to be found again; half of the queries are of documents that are not there."""
    records = read_corpus(None, None, 120)
    rows = [
        {"id": str(number), "title": record.title, "text": record.text}
        for number, record in enumerate(records)
    ]
    queries: list[Row] = [
        {"id": f"q{row['id']}", "text": row["text"].split(". ")[0], "answerable": number < 60}
        for number, row in enumerate(rows)
    ]
    grades = {query["id"]: {query["id"][1:]: 1.0} for query in queries if query["answerable"]}
    return QuestionSet("made-up", rows[:60], queries, grades, None)
