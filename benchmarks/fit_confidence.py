"""Fits the weights of the confidence on folders of question sets, and tells what they are worth.

Every set is held out whole: its figures are those of weights and a threshold that were fitted on
the other sets. Each set is pushed to a bot of its own, and half of its documents to another one.
Asked are its questions; those of the half whose answers are in the other half; and questions of
the other sets, which are foreign to it. In process, through the search that answers.

What a user loses counts: the threshold is where KEPT of the answerable questions of the sets that
it is fitted on are kept, on average.
"""

import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from corpus import SEED
from evalsets import QuestionSet, Row, half, pushes, question_sets
from figures import arguments, finish, say
from harness import workspace

from rag_service.access.scope import ALL_BOTS
from rag_service.knowledge.evaluation import DEPTH, auroc, ndcg
from rag_service.knowledge.finding.confidence import Signs, features, weigh

KEPT = 0.9175
FOREIGN = 40
"""Questions of each other set."""
MOST = 400
"""Questions of one set and kind; more would only take longer."""
WEIGHT = {"answerable": 1.0, "indomain": 1.0, "foreign": 1.0, "removed": 0.3}
"""Of all questions of a set and kind together; other documents answer some of the removed ones."""
RIDGE = 1e-3


class Asked(NamedTuple):
    bot: str
    kind: str
    """answerable, indomain, removed, foreign, offtopic or smalltalk."""
    label: str
    """The kind of question that the set names, or the set that a foreign one is of."""
    signs: Signs
    cosine: float
    kept: bool
    """By the weights that the service has now."""
    ndcg: float | None


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--sets", type=Path, help="folders as benchmarks/evalsets.py reads them")
    parser.add_argument("--only", nargs="*", help="names of sets")
    parser.add_argument("--signs", type=Path, help="write what was seen to this file, a line each")
    settings = parser.parse_args()
    sets = question_sets(settings.sets, settings.small)
    sets = [one for one in sets if not settings.only or one.name in settings.only]
    with workspace(settings.model) as work:
        asked = ask_all(work.base("confidence"), work.folder / "pushes.jsonl", sets)
    if settings.signs:
        settings.signs.write_text("".join(json.dumps(_line(one)) + "\n" for one in asked))
    finish("confidence", measure(asked), settings)


# -- asking ------------------------------------------------------------------------------------


def ask_all(base: Any, file: Path, sets: Sequence[QuestionSet]) -> list[Asked]:
    from rag_service.assembly import assemble
    from rag_service.settings import load_settings

    halves = {one.name: half(one) for one in sets}
    with file.open("wb") as lines:
        for one in sets:
            lines.write(pushes(one.documents, one.name))
            lines.write(pushes(halves[one.name][0].documents, f"{one.name}-half"))
    say("ingesting")
    base.ingest(file)
    ours = {key: value for key, value in base.environ().items() if key.startswith("RAG_")}
    asked = []
    with assemble(load_settings(ours)) as service:
        for one in sets:
            say(f"asking {one.name}")
            for query in _some(one.queries):
                kind = _kind(one, query)
                asked.append(_ask(service, one, one.name, query, kind))
            part, truth = halves[one.name]
            removed = [q for q, is_there in zip(part.queries, truth, strict=True) if not is_there]
            for query in _some(removed):
                asked.append(_ask(service, part, f"{one.name}-half", query, "removed"))
            for other in sets:
                if other.name != one.name:
                    for query in _foreign(other):
                        asked.append(_ask(service, other, one.name, query, "foreign"))
    return asked


def _ask(service: Any, one: QuestionSet, bot: str, query: Row, kind: str) -> Asked:
    found = service.knowledge.search(ALL_BOTS, query["text"], bot, k=DEPTH, by_document=True)
    grades = one.grades.get(query["id"], {}) if kind == "answerable" else {}
    gains = [grades.get(hit.passage.source_url.removeprefix("doc:"), 0.0) for hit in found.hits]
    return Asked(
        bot=bot.removesuffix("-half"),
        kind=kind,
        label=one.name if kind == "foreign" else query.get("kind") or kind,
        signs=found.evidence.signs,
        cosine=max((hit.scores.dense for hit in found.hits), default=-1.0),
        kept=found.has_rag_context,
        ndcg=ndcg(gains, grades) if grades else None,
    )


def _kind(one: QuestionSet, query: Row) -> str:
    if one.grades.get(query["id"]):
        return "answerable"
    return query.get("kind") or "indomain"


def _some(queries: Sequence[Row]) -> list[Row]:
    return random.Random(SEED).sample(list(queries), min(2 * MOST, len(queries)))


def _foreign(one: QuestionSet) -> list[Row]:
    asks = [query for query in one.queries if query.get("kind") != "smalltalk"]
    return random.Random(SEED).sample(asks, min(FOREIGN, len(asks)))


def _line(one: Asked) -> dict[str, Any]:
    import msgspec

    return {**one._asdict(), "signs": msgspec.to_builtins(one.signs)}


# -- fitting -----------------------------------------------------------------------------------


def measure(asked: Sequence[Asked]) -> dict[str, Any]:
    names = sorted({one.bot for one in asked})
    table = Table(asked)
    sets = {}
    for name in names:
        weights = table.fit([other for other in names if other != name] or names)
        sets[name] = table.figures(name, weights)
    everything = table.fit(names)
    return {
        "held_out": _means(sets),
        "sets": sets,
        "weights": dict(zip(("bias", *features(Signs())), everything.tolist(), strict=True)),
        "as_shipped": _means({name: table.figures(name, None) for name in names}),
        "mean_ndcg_at_10": float(
            np.mean([np.mean(table.of(name, "answerable").ndcg) for name in names])
        ),
        "levels": {name: _levels(asked, name) for name in names},
    }


class Table:
    """The questions as numbers."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self.bots = np.array([one.bot for one in asked])
        self.kinds = np.array([one.kind for one in asked])
        self.labels = np.array([one.label for one in asked])
        self.values = np.array([[1.0, *features(one.signs).values()] for one in asked])
        self.cosines = np.array([one.cosine for one in asked])
        self.kept = np.array([one.kept for one in asked])
        self.ndcg = np.array([np.nan if one.ndcg is None else one.ndcg for one in asked])
        self.fixed = np.array([weigh(one.signs).log_odds for one in asked])
        # those that codes or an unreadable query decide do not depend on the weights
        self.is_fixed = np.array([_is_fixed(one.signs) for one in asked])
        self.bonus = np.array([_bonus(one.signs) for one in asked])

    def of(self, name: str, kind: str) -> "Table":
        return self.where((self.bots == name) & (self.kinds == kind))

    def where(self, which: np.ndarray) -> "Table":
        part = Table.__new__(Table)
        part.__dict__ = {key: value[which] for key, value in vars(self).items()}
        return part

    def odds(self, weights: np.ndarray) -> np.ndarray:
        return np.where(self.is_fixed, self.fixed, self.values @ weights + self.bonus)

    def fit(self, names: Iterable[str]) -> np.ndarray:
        """Logistic regression, each set and kind weighing the same however many it has; then the
        bias at which KEPT are kept."""
        from scipy.optimize import minimize

        chosen = self.where(np.isin(self.bots, list(names)) & np.isin(self.kinds, list(WEIGHT)))
        weight = np.zeros(len(chosen.kinds))
        for name in names:
            for kind, share in WEIGHT.items():
                which = (chosen.bots == name) & (chosen.kinds == kind)
                weight[which] = share / max(1, which.sum())
        signs = np.where(chosen.kinds == "answerable", 1.0, -1.0)
        ridge = RIDGE * weight.sum() * np.r_[0.0, np.ones(chosen.values.shape[1] - 1)]

        def unlikely(weights: np.ndarray) -> float:
            wrong = np.logaddexp(0, -signs * (chosen.values @ weights))
            return float((weight * wrong).sum() + (ridge * weights**2).sum())

        weights = minimize(unlikely, np.zeros(chosen.values.shape[1]), method="L-BFGS-B").x
        odds = [chosen.of(name, "answerable").odds(weights) for name in names]
        shifts = np.linspace(-6, 6, 1201)
        kept = np.array([np.mean([(one + shift > 0).mean() for one in odds]) for shift in shifts])
        weights[0] += shifts[np.argmax(kept >= KEPT)]
        return np.asarray(weights)

    def figures(self, name: str, weights: np.ndarray | None) -> dict[str, Any]:
        """`weights` None stands for the decision as the service takes it."""
        found: dict[str, Any] = {}
        of = {kind: self.of(name, kind) for kind in np.unique(self.kinds[self.bots == name])}

        def kept(part: Table) -> np.ndarray:
            return part.kept if weights is None else part.odds(weights) > 0

        found["kept"] = float(kept(of["answerable"]).mean())
        by_label = of["answerable"].labels
        found["kept_by_kind"] = {
            str(label): float(kept(of["answerable"].where(by_label == label)).mean())
            for label in np.unique(by_label)
        }
        for kind, part in of.items():
            if kind != "answerable":
                found[f"refused_{kind}"] = float(1 - kept(part).mean())
        if "indomain" in of:
            found["balanced_accuracy"] = (found["kept"] + found["refused_indomain"]) / 2
            truth = [True] * len(of["answerable"].kinds) + [False] * len(of["indomain"].kinds)
            if weights is not None:
                odds = np.r_[of["answerable"].odds(weights), of["indomain"].odds(weights)]
                found["auroc"] = auroc(odds, truth)
                cosines = np.r_[of["answerable"].cosines, of["indomain"].cosines]
                found["auroc_of_cosine"] = auroc(cosines, truth)
        return found


def _is_fixed(signs: Signs) -> bool:
    weights = weigh(signs).weights
    return "covered_by_passage" in weights or "veto" in weights or not signs.chunks


def _bonus(signs: Signs) -> float:
    weights = weigh(signs).weights
    return weights.get("codes_found", 0.0) + weights.get("lone_names", 0.0)


def _means(sets: dict[str, dict[str, Any]]) -> dict[str, float]:
    keys = {key for one in sets.values() for key, value in one.items() if isinstance(value, float)}
    means = {
        key: float(np.mean([one[key] for one in sets.values() if key in one]))
        for key in sorted(keys)
    }
    return {**means, "least_kept": min(one["kept"] for one in sets.values())}


def _levels(asked: Sequence[Asked], name: str) -> dict[str, float]:
    signs = next(one.signs for one in asked if one.bot == name and one.kind == "answerable")
    return {"reach": signs.reach, "kin": signs.kin}


if __name__ == "__main__":
    main()
