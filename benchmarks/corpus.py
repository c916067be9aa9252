"""Documents to push: from a file of records, or made up the same way every time."""

import gzip
import json
import random
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

SEED = 20_26


class Record(NamedTuple):
    source_url: str
    title: str
    text: str

    def body(self) -> dict[str, str]:
        """As POST /knowledge takes it."""
        return {"source_url": self.source_url, "title": self.title, "content": self.text}


def read_corpus(path: Path | None, limit: int | None, made_up: int) -> list[Record]:
    """The first `limit` records of the file; without a file, `limit` or `made_up` generated ones.

    A URL that repeats gets `#2`, `#3`... so that each passage has its own key.
    """
    if path is None:
        return [_generated(number) for number in range(limit or made_up)]
    records = []
    seen: dict[str, int] = {}
    for row in read_rows(path, limit):
        url = row["source_url"]
        seen[url] = seen.get(url, 0) + 1
        key = url if seen[url] == 1 else f"{url}#{seen[url]}"
        records.append(Record(key, row.get("title") or "", row["text"]))
    return records


def read_rows(path: Path, limit: int | None = None) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
        for line in lines:
            if limit is not None and len(rows) >= limit:
                break
            if line.strip():
                rows.append(json.loads(line))
    return rows


def write_pushes(records: Iterable[Record], path: Path) -> Path:
    """A file that `rag-service ingest` and POST /knowledge/batch read."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(record.body()) + "\n" for record in records)
    return path


def make_queries(texts: Sequence[str], count: int) -> list[str]:
    """Runs of 8 to 12 words out of the middle of random texts."""
    choice = random.Random(SEED)
    queries: list[str] = []
    while len(queries) < count:
        words = choice.choice(texts).split()
        length = choice.randint(8, 12)
        start = max(0, (len(words) - length) // 2)
        if words:
            queries.append(" ".join(words[start : start + length]))
    return queries


def change_a_sentence(record: Record) -> Record:
    """The sentence in the middle is another one."""
    sentences = record.text.split(". ")
    sentences[len(sentences) // 2] = "This sentence was written anew in the second edition"
    return record._replace(text=". ".join(sentences))


# -- made up ------------------------------------------------------------------------------------

_COMMON = """the of to and a in is for that with as be by on are it this from or not an can you if
when at which will must may have has use used each other only more one no all but then than into
their its there also after before these should does what how where while because new same any some
most first last between without through during within under over per via such both either"""
_STEMS = """account address agent archive backup batch bill buffer cache certificate channel client
cluster column command commit config connect contact container content contract control cookie
copy counter customer database deliver deploy device document domain download driver editor email
encode encrypt engine error event export factor field file filter folder format gateway graph group
handler header history host image import index insert install interface invoice item journal kernel
key label language layer library license limit link list load local lock log mail manage map member
memory merge message method migrate model module monitor network node notify object operator option
order package page parameter parse partition password patch payment permission pipeline platform
plugin point policy port price process product profile project protocol provider proxy query queue
record refund region register release render replica report request reset resource response restore
result return review role route rule runtime sample schedule schema scope script search section
secret sensor server service session setting share shipment signal snapshot socket source stage
state status storage stream string subscribe support switch sync system table target task template
tenant test text thread ticket time token topic trace transfer trigger type update upload user
value variable vendor version video volume wallet warehouse warning webhook widget window worker
workflow workspace writer zone"""
_ENDS = ("", "s", "ing", "ed", "er", "able", "-level", "-side", " name", " size", " list", " id")
_TOPICS = [stem + end for end in _ENDS for stem in _STEMS.split()]
_WORDS = [*_COMMON.split(), *_TOPICS]
_WEIGHTS = list(accumulate(1 / (rank + 2.7) for rank in range(len(_WORDS))))  # Zipf-Mandelbrot


def _generated(number: int) -> Record:
    """About 40 to 300 words, most of them short; document `number` is always the same."""
    choice = random.Random(SEED * 1_000_003 + number)
    length = min(300, max(40, round(choice.lognormvariate(4.6, 0.5))))
    topic = [choice.choice(_TOPICS) for _ in range(6)]
    sentences: list[str] = []
    written = 0
    while written < length:
        words = choice.choices(_WORDS, cum_weights=_WEIGHTS, k=choice.randint(6, 22))
        words[choice.randrange(len(words))] = choice.choice(topic)
        sentences.append(" ".join(words).capitalize() + ".")
        written += len(words)
    cut = max(1, len(sentences) // 2)
    text = " ".join(sentences[:cut]) + "\n\n" + " ".join(sentences[cut:])
    title = f"{topic[0]} {topic[1]}".capitalize()
    return Record(f"https://example.com/docs/{number}", title, text.strip())
