"""What are the weights of the extractive model, and how well do they carry over?

Fits, as a softmax over the pieces of the five passages found for a question, which pieces hold the
answer, once by what is kept with the passages and once with the likeliest pieces embedded; and over
the clauses of long pieces that hold it, which clause does. Each set counts by the root of its size.
`right_first` is how often the likeliest piece holds the answer: with all sets, and with the weights
fitted on the other sets. The weights of `torn` and `code` are set by hand, since none of these sets
was made for them. `lead` and `answer` come from the only set of questions and answers, which is
therefore answered worse where it is held out.
"""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from bench_answers import Case, answers_of, found, normalised, one_like, one_of, opened
from corpus import SEED, Record, write_pushes
from evalsets import QuestionSet, question_sets, url_of
from figures import arguments, finish, say
from harness import workspace

RIDGE = 1.0
STEPS = 400
LEAST = 20
"""Questions of a set, or it is left out."""
MOST = 200
"""Questions of a set; more would only take longer."""


class Sample(NamedTuple):
    """One question: the evidence of each candidate, and which of them are right."""

    evidence: Any
    right: Any


class Samples(NamedTuple):
    pieces: list[Sample]
    closer: list[Sample]
    """The same, with the meaning of the likeliest pieces."""
    clauses: list[Sample]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--sets", type=Path, required=True, help="a folder of question sets")
    settings = parser.parse_args()
    samples: dict[str, Samples] = {}
    with workspace(settings.model) as work:
        for one in question_sets(settings.sets, settings.small):
            questions = _questions(one)
            if len(questions) >= LEAST:
                say(f"{one.name}: {len(questions)} questions")
                base = work.base(one.name)
                base.ingest(write_pushes(_records(one), work.folder / f"{one.name}.jsonl"))
                with opened(base) as service:
                    cases = found(service, questions)
                    samples[one.name] = _samples(cases, service.knowledge.nearness)
    finish("answers-fit", fit_all(samples), settings)


def fit_all(samples: dict[str, Samples]) -> dict[str, Any]:
    from rag_service.models.chat.extractive.evidence import Evidence
    from rag_service.models.chat.extractive.likelihood import ClauseEvidence

    pieces = {name: one.pieces for name, one in samples.items()}
    closer = {name: one.closer for name, one in samples.items()}
    clauses = fit([[sample for one in samples.values() for sample in one.clauses]])
    return {
        "from_the_sentences_kept": _fitted(pieces, Evidence._fields),
        "with_pieces_embedded": _fitted(closer, Evidence._fields),
        "clause_weights": dict(zip(ClauseEvidence._fields, clauses.round(2).tolist(), strict=True)),
    }


def _fitted(sets: dict[str, list[Sample]], names: Sequence[str]) -> dict[str, Any]:
    weights = fit(list(sets.values()))
    held_out = {
        name: right_first(sets[name], fit([sets[other] for other in sets if other != name]))
        for name in sets
        if len(sets) > 1
    }
    return {
        "weights": dict(zip(names, weights.round(2).tolist(), strict=True)),
        "right_first": {name: right_first(one, weights) for name, one in sets.items()},
        "right_first_held_out": held_out,
    }


def fit(sets: Sequence[Sequence[Sample]]) -> Any:
    """The weights under which the right candidates are likeliest."""
    import torch

    rows = [
        (torch.tensor(sample.evidence), torch.tensor(sample.right), (200 / len(one)) ** 0.5)
        for one in sets
        for sample in one
        if sample.right.any() and not sample.right.all()
    ]
    weights = torch.zeros(rows[0][0].shape[1], dtype=torch.double, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Any:
        optimizer.zero_grad()
        total = RIDGE / 2 * (weights * weights).sum()
        for evidence, right, share in rows:
            scores = evidence @ weights
            total = total + share * (scores.logsumexp(0) - scores[right].logsumexp(0))
        total.backward()
        return total

    optimizer.step(loss)
    return weights.detach().numpy()


def right_first(samples: Sequence[Sample], weights: Any) -> float:
    return fmean(bool(one.right[np.argmax(one.evidence @ weights)]) for one in samples)


def _samples(cases: Sequence[Case], nearness: Callable[..., Any]) -> Samples:
    from rag_service.models.chat.extractive.clauses import clause_spans
    from rag_service.models.chat.extractive.likelihood import Judge
    from rag_service.models.chat.extractive.pieces import read_pieces
    from rag_service.models.chat.extractive.similarity import below_headings, similarities

    def meanings(numbers: Sequence[int]) -> Any:
        texts = [below_headings(case.passages[pieces[n].passage], pieces[n]) for n in numbers]
        return nearness(case.vector, texts)

    pieces_of: list[Sample] = []
    closer_of: list[Sample] = []
    clauses_of: list[Sample] = []
    for case in cases:
        pieces, alike = [], []
        for at, passage in enumerate(case.passages):
            read = read_pieces(at, passage)
            pieces += read
            alike += similarities(passage.text, read, case.near[passage.chunk_id])
        if not pieces:
            continue
        judge = Judge(case.question, pieces, alike)
        right = [case.is_right(piece.text) for piece in pieces]
        told = np.array([piece.kind != "label" for piece in pieces])
        evidence = np.array(judge.evidence(), float)
        if told.any():
            closer = np.array(judge.closer_evidence(meanings), float)
            pieces_of.append(Sample(evidence[told], np.array(right)[told]))
            closer_of.append(Sample(closer[told], np.array(right)[told]))
        for piece in (piece for piece, holds in zip(pieces, right, strict=True) if holds):
            clauses = [piece.text[start:end] for start, end in clause_spans(piece.text)]
            holds = np.array([case.is_right(clause) for clause in clauses])
            clauses_of.append(Sample(np.array(judge.clause_evidence(clauses), float), holds))
    return Samples(pieces_of, closer_of, clauses_of)


def _records(one: QuestionSet) -> list[Record]:
    return [Record(url_of(row), row.get("title") or "", row["text"]) for row in one.documents]


def _questions(one: QuestionSet) -> list[tuple[str, Callable[[str], bool]]]:
    """By answers that stand in a document, by excerpts, or, where the titles are questions, by the
    texts that answer."""
    texts = {row["id"]: row["text"] for row in one.documents}
    is_faq = sum(str(row.get("title")).endswith("?") for row in one.documents) > len(texts) / 2
    questions = []
    for query in one.answerable():
        golds = [texts[document] for document in one.grades[query["id"]] if document in texts]
        answers = answers_of(query)
        excerpts = query.get("excerpts")
        excerpts = json.loads(excerpts) if isinstance(excerpts, str) else excerpts
        if answers and any(map(one_of(answers), golds)):
            questions.append((query["text"], one_of(answers)))
        elif excerpts:
            questions.append((query["text"], _of(excerpts)))
        elif is_faq:
            questions.append((query["text"], one_like(golds)))
    return random.Random(SEED).sample(questions, min(MOST, len(questions)))


def _of(excerpts: Sequence[dict[str, Any]]) -> Callable[[str], bool]:
    wanted = [normalised(excerpt["text"]) for excerpt in excerpts]

    def is_right(text: str) -> bool:
        plain = normalised(text)
        return bool(plain) and any(plain in one or one in plain for one in wanted)

    return is_right


if __name__ == "__main__":
    main()
