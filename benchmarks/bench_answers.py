"""How often does the extractive answer hold the answer, how long is it, and what does it cost?

Every answerable question is searched for (k = 5, in process, as the service does), and the model
answers from the passages. Right, after lower-casing and without punctuation, articles and
citations, as SQuAD compares:

- a question with `answers`, or one `answer`: the answer holds one of them, word for word;
- a question without them, with --qrels: the answer holds the whole first sentence of the text of
  a relevant record, or shares words with that text at a token F1 of 0.5 at least.

`first_source_right` asks the same of the passage that the answer cites first. `upper_bound` asks it
of the five passages, each alone. `first_sentences` is what costs
nothing: as many whole sentences from the beginning of the best passage on (and of the next ones)
as come nearest to the length of the model's answer, so that no share is won by length.
"""

import argparse
import random
import re
import string
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from corpus import SEED, Record, read_corpus, read_rows, write_pushes
from figures import arguments, finish, latencies, say
from harness import Base, workspace

K = 5
F1 = 0.5
Right = Callable[[str], bool]


class Case(NamedTuple):
    question: str
    is_right: Right
    passages: list[Any]
    near: dict[str, list[Any]]
    """By chunk id, what the search tells of their sentences."""
    vector: Any
    """Of the question."""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--questions", type=Path, help="records {id?, text, answers?, ...}")
    parser.add_argument("--qrels", type=Path, help="query_id, doc_id, grade; tabs, with a header")
    parser.add_argument("--count", type=int, help="how many questions; all, or 50 with --small")
    settings = parser.parse_args()
    if settings.corpus and not settings.questions:
        parser.error("--corpus needs --questions")
    records, questions = _material(settings)
    say(f"ingesting {len(records)} documents")
    with workspace(settings.model) as work:
        base = work.base("answers")
        base.ingest(write_pushes(records, work.folder / "pushes.jsonl"))
        with opened(base) as service:
            cases = found(service, questions)
            say(f"answering {len(cases)} questions")
            finish("answers", measure(cases, service.knowledge.nearness), settings)


def measure(cases: Sequence[Case], nearness: Any) -> dict[str, Any]:
    from rag_service.models.chat.extractive import MOST_SENTENCES, ExtractiveModel

    by_sentences = {
        str(n): _figures(cases, ExtractiveModel(n, nearness)) for n in range(1, MOST_SENTENCES)
    }
    ours = _figures(cases, ExtractiveModel(nearness=nearness))
    bound = fmean(any(case.is_right(p.text) for p in case.passages) for case in cases)
    return {
        **ours,
        "upper_bound": bound,
        "at_most_sentences": by_sentences,
        "questions": len(cases),
        "right_is": f"one of `answers` inside; or first sentence inside, or token F1 >= {F1}",
    }


def _figures(cases: Sequence[Case], model: Any) -> dict[str, Any]:
    took, answers = [], []
    for case in cases:
        start = time.perf_counter()
        answers.append(model.answer(case.question, case.passages, case.near, case.vector))
        took.append(time.perf_counter() - start)
    plain = [_CITATION.sub("", answer) for answer in answers]
    leads = [_first(case.passages, len(text)) for case, text in zip(cases, plain, strict=True)]
    times = latencies(took)
    return {
        "share_right": _share(cases, plain),
        "first_source_right": _share(cases, list(map(_first_cited, answers, cases))),
        "mean_characters": fmean(map(len, plain)),
        "most_characters": max(map(len, plain)),
        "first_sentences": {
            "share_right": _share(cases, leads),
            "mean_characters": fmean(map(len, leads)),
        },
        "p50_ms": times["p50_ms"],
        "p95_ms": times["p95_ms"],
    }


def _share(cases: Sequence[Case], answers: Sequence[str]) -> float:
    return fmean(case.is_right(answer) for case, answer in zip(cases, answers, strict=True))


def _first_cited(answer: str, case: Case) -> str:
    cited = _CITATION.search(answer)
    return case.passages[int(cited[1]) - 1].text if cited else ""


_CITATION = re.compile(r"\s*\[(\d+)\]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def _first(passages: Sequence[Any], length: int) -> str:
    sentences = [s for passage in passages for s in _SENTENCE.split(passage.text) if s]
    ends = [len(" ".join(sentences[:n])) for n in range(1, len(sentences) + 1)]
    best = min(range(len(ends)), key=lambda n: abs(ends[n] - length))
    return " ".join(sentences[: best + 1])


# -- what is right -------------------------------------------------------------------------------


def answers_of(row: dict[str, Any]) -> list[str]:
    return [answer for answer in row.get("answers") or [row.get("answer")] if answer]


def one_of(answers: Sequence[str]) -> Right:
    wanted = [normalised(answer) for answer in answers]

    def is_right(text: str) -> bool:
        return any(f" {answer} " in f" {normalised(text)} " for answer in wanted)

    return is_right


def one_like(texts: Sequence[str]) -> Right:
    first = one_of([_SENTENCE.split(text.strip())[0] for text in texts])

    def is_right(answer: str) -> bool:
        return first(answer) or any(token_f1(answer, text) >= F1 for text in texts)

    return is_right


def normalised(text: str) -> str:
    """As SQuAD's evaluation does it (Rajpurkar et al. 2016)."""
    bare = text.lower().translate(str.maketrans("", "", string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def token_f1(one: str, other: str) -> float:
    a, b = normalised(one).split(), normalised(other).split()
    common = sum((Counter(a) & Counter(b)).values())
    return 2 * common / (len(a) + len(b)) if common else 0.0


# -- questions and what is found for them --------------------------------------------------------


@contextmanager
def opened(base: Base) -> Iterator[Any]:
    """The service, in this process."""
    from rag_service.assembly import assemble
    from rag_service.settings import load_settings

    ours = {key: value for key, value in base.environ().items() if key.startswith("RAG_")}
    with assemble(load_settings(ours)) as service:
        yield service


def found(service: Any, questions: list[tuple[str, Right]]) -> list[Case]:
    from rag_service.access.scope import ALL_BOTS

    return [
        Case(
            text,
            is_right,
            [hit.passage for hit in findings.hits],
            {hit.passage.chunk_id: hit.sentences for hit in findings.hits},
            findings.vector,
        )
        for text, is_right in questions
        if (findings := service.knowledge.search(ALL_BOTS, text, "default", k=K)).hits
    ]


def _material(settings: argparse.Namespace) -> tuple[list[Record], list[tuple[str, Right]]]:
    count = settings.count or (50 if settings.small else None)
    if settings.questions is None:
        return _made_up(settings.limit or (150 if settings.small else 2000), count)
    records = read_corpus(settings.corpus, settings.limit, 0)
    rows: list[dict[str, Any]] = list(read_rows(settings.questions))
    golds = _golds(settings)
    questions = []
    for row in rows:
        if not row.get("answerable", True):
            continue
        if answers := answers_of(row):
            questions.append((row["text"], one_of(answers)))
        elif texts := golds.get(row.get("id", "")):
            questions.append((row["text"], one_like(texts)))
    if not questions:
        raise SystemExit("no question has `answers` or `answer`, or a relevant record in --qrels")
    return records, questions[:count]


def _golds(settings: argparse.Namespace) -> dict[str, list[str]]:
    """The texts of the relevant records, by question."""
    if settings.qrels is None:
        return {}
    texts = {row.get("id", ""): row["text"] for row in read_rows(settings.corpus, settings.limit)}
    golds: dict[str, list[str]] = {}
    for line in settings.qrels.read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) > 0 and document in texts:
            golds.setdefault(query, []).append(texts[document])
    return golds


_FACTS = (
    ("The {topic} limit of {name} is {value} requests.", "What is the {topic} limit of {name}?"),
    ("{name} keeps every {topic} for {value} days.", "How long does {name} keep every {topic}?"),
    ("{name} moved its {topic} in {value}.", "When did {name} move its {topic}?"),
)


def _made_up(documents: int, count: int | None) -> tuple[list[Record], list[tuple[str, Right]]]:
    """Each document tells one fact about a name of its own, somewhere in the middle."""
    choice = random.Random(SEED)
    records, questions = [], []
    for number, record in enumerate(read_corpus(None, documents, documents)):
        says, asks = _FACTS[number % len(_FACTS)]
        name = "".join(choice.choice(pair) for pair in ("BDKLMNPRST", "aeiou", "dklmnrst", "aeiou"))
        told = {"topic": record.title.split()[0].lower(), "name": name + f"-{number}"}
        value = str(choice.randint(1100, 9900))
        sentences = re.split(r"(?<=\.)\s", record.text)
        sentences.insert(choice.randint(1, len(sentences)), says.format(**told, value=value))
        records.append(record._replace(text=" ".join(sentences)))
        questions.append((asks.format(**told), one_of([value])))
    return records, questions[:count]


if __name__ == "__main__":
    main()
