"""The questions of one bot in clusters, each about one thing.

A new question joins the cluster that it is likest, at once. `recluster` puts all of them together
anew, and gives the same groups whatever the order in which they came. Clusters keep their labels.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from rag_service.gaps.likeness import Rows
from rag_service.gaps.linkage import Points, average_linkage
from rag_service.gaps.matching import Regrouped, matched
from rag_service.gaps.middles import Middles
from rag_service.gaps.wordings import Question, Wording, Wordings, spaced
from rag_service.knowledge.finding.scale import Scale

LIKE = 0.65
"""The mean likeness of the questions of one cluster. Chosen in steps of 0.05, with both models, on
banking77, clinc150-oos and random parts of them; benchmarks/README.md has the figures."""
LOOKED_INTO = 8
"""Clusters whose questions a new one is compared with."""
READ = 64
"""Questions of one cluster that a new one is compared with."""
DUE = 0.125
"""New and removed wordings, as a share of those that were there when all were grouped. What is
asked again in the same words groups nothing anew."""


class Clustering:
    """Not thread-safe. New labels are -1, -2 and so on, until `rename` gives them others."""

    def __init__(self, scale: Scale) -> None:
        self._wordings = Wordings(scale)
        self._middles = Middles(self._wordings.likeness.width)
        self._clusters: dict[int, list[Wording]] = {}
        self._of_question: dict[int, Wording] = {}
        self._changes = 0
        self._next = -1

    def __len__(self) -> int:
        """Questions."""
        return len(self._of_question)

    @property
    def labels(self) -> list[int]:
        return list(self._clusters)

    @property
    def is_due(self) -> bool:
        """Whether so many wordings came and went that `recluster` may group them better."""
        return self._changes > DUE * max(0, len(self._wordings) - self._changes)

    def label_of(self, question: int) -> int:
        return self._of_question[question].label

    def members(self, label: int) -> list[int]:
        """The questions of a cluster, in the order of their ids."""
        return sorted(question for one in self._clusters[label] for question in one.questions)

    def title_of(self, label: int) -> int:
        """The question nearest to the middle of the cluster."""
        wordings = sorted(self._clusters[label], key=lambda one: one.text)
        rows = self._wordings.rows(wordings)
        nearest = int((self._wordings.likeness.mirrored(rows) @ rows.mean(axis=0)).argmax())
        return min(wordings[nearest].questions)

    # -- one by one -----------------------------------------------------------------------------

    def add(self, question: Question) -> int:
        """The label of the cluster that it joins, or of a new one. One that is known stays."""
        if question.id in self._of_question:
            return self.label_of(question.id)
        known = self._wordings.like(question.text)
        text = spaced(question.text)
        wording = next((one for one in known if one.text == text), None)
        if wording is None:
            wording = self._join(question, known[0].label if known else None)
            self._changes += 1
        self._put(question, wording)
        return wording.label

    def put(self, question: Question, label: int) -> None:
        """Into a cluster that somebody has told, which may be new."""
        text = spaced(question.text)
        known = self._wordings.like(text)
        wording = next((one for one in known if (one.text, one.label) == (text, label)), None)
        if wording is None:
            inside = self._clusters.get(label, [])[:READ]
            row = self._wordings.among(self._wordings.alone(question), inside)
            wording = self._write(question, row, label)
            self._changes += 1
        self._put(question, wording)
        self._next = min(self._next, label - 1)

    def _join(self, question: Question, label: int | None) -> Wording:
        codes = self._wordings.codes_of(question.text)
        alone = self._wordings.alone(question)
        labels = self._middles.nearest(alone, self._wordings.likeness.dimension, codes, LOOKED_INTO)
        inside = [one for near in labels for one in self._clusters[near][:READ]]
        row = self._wordings.among(alone, inside)
        if label is None and labels:
            likeness = self._middles.means(labels) @ self._wordings.likeness.mirrored(row)
            best = int(likeness.argmax())
            label = labels[best] if likeness[best] >= LIKE else None
        if label is None:
            label = self._new_label()
        return self._write(question, row, label)

    def _write(self, question: Question, row: Rows, label: int) -> Wording:
        wording = self._wordings.write(question, row, label)
        self._clusters.setdefault(label, []).append(wording)
        self._middles.add(label, row, wording.codes)
        return wording

    def remove(self, questions: Iterable[int]) -> None:
        """Those that are not known are passed over. A cluster without questions is gone."""
        touched = set()
        for question in questions:
            wording = self._of_question.pop(question, None)
            if wording is None:
                continue
            wording.questions.remove(question)
            if not wording.questions:
                self._changes += 1
                self._clusters[wording.label].remove(wording)
                self._wordings.drop(wording)
                touched.add(wording.label)
        self._find_middles(touched)

    def rename(self, labels: Mapping[int, int]) -> None:
        """New labels of clusters, by their old ones. Clusters that get the same label, or that of
        a cluster that keeps it, are one from then on."""
        parts = [(old, self._clusters.pop(old)) for old in labels if old in self._clusters]
        for old, wordings in parts:
            for wording in wordings:
                wording.label = labels[old]
            self._clusters.setdefault(labels[old], []).extend(wordings)
        self._find_middles({label for old, _ in parts for label in (old, labels[old])})

    def restore(self, questions: Iterable[tuple[Question, int]]) -> None:
        """Questions with the labels that they had, such as after a restart."""
        blank = np.zeros(self._wordings.likeness.width, np.float32)
        for question, label in questions:
            text = spaced(question.text)
            known = self._wordings.like(text)
            wording = next((one for one in known if (one.text, one.label) == (text, label)), None)
            if wording is None:
                wording = self._wordings.write(question, blank, label)
                self._clusters.setdefault(label, []).append(wording)
            self._put(question, wording)
            self._next = min(self._next, label - 1)
        self._wordings.learn()
        self._wordings.draw_within(self._clusters.values())
        self._find_middles(self._clusters)

    def _put(self, question: Question, wording: Wording) -> None:
        wording.questions.append(question.id)
        self._of_question[question.id] = wording

    # -- all anew -------------------------------------------------------------------------------

    def recluster(self, *, settled: Collection[int] = (), whole: Collection[int] = ()) -> Regrouped:
        """Group all questions anew, but those of `settled` clusters, which stay as they are.
        Clusters that are `whole`, such as those that a person made, may take in others and are
        not torn apart.

        Time grows with the square of the different texts. The groups do not depend on the order
        in which questions came, nor on the former ones that are not `settled` or `whole`.
        """
        self._wordings.learn()
        self._wordings.draw_all()
        free = [one for one in self._wordings.all() if one.label not in settled]
        groups = self._groups(free, whole)
        former = {question: one.label for one in free for question in one.questions}
        regrouped = matched(former, [_questions(group) for group in groups], self._new_label)
        for label in {one.label for one in free}:
            del self._clusters[label]
        for group in groups:
            label = regrouped.labels[group[0].questions[0]]
            self._clusters[label] = group
            for wording in group:
                wording.label = label
        self._middles = Middles(self._wordings.likeness.width)
        self._find_middles(self._clusters)
        self._changes = 0
        return regrouped

    def _groups(self, wordings: Sequence[Wording], whole: Collection[int]) -> list[list[Wording]]:
        """By average linkage of seeds: what has to be together anyhow."""
        pinned = {one.key: one.label for one in wordings if one.label in whole}
        seeds: dict[str | int, list[Wording]] = defaultdict(list)
        for one in wordings:
            own = one.label if one.label in whole else pinned.get(one.key, one.key)
            seeds[own].append(one)
        if not seeds:
            return []
        points = Points(
            means=np.stack([self._mean(seed) for seed in seeds.values()]),
            signs=self._wordings.likeness.signs,
            sizes=np.array([len(seed) for seed in seeds.values()], np.float32),
            codes=np.array([_codes(seed) for seed in seeds.values()], np.int64),
        )
        groups: dict[int, list[Wording]] = defaultdict(list)
        for cluster, seed in zip(average_linkage(points, LIKE), seeds.values(), strict=True):
            groups[int(cluster)].extend(seed)
        return list(groups.values())

    def _find_middles(self, labels: Iterable[int]) -> None:
        for label in labels:
            wordings = self._clusters.get(label)
            if wordings:
                rows = self._wordings.rows(wordings)
                self._middles.set(label, rows, _codes(wordings))
            else:
                self._clusters.pop(label, None)
                self._middles.drop(label)

    def _mean(self, wordings: Sequence[Wording]) -> Rows:
        mean: Rows = self._wordings.rows(wordings).mean(axis=0)
        return mean

    def _new_label(self) -> int:
        self._next -= 1
        return self._next + 1


def _questions(wordings: Iterable[Wording]) -> list[int]:
    return [question for wording in wordings for question in wording.questions]


def _codes(wordings: Iterable[Wording]) -> int:
    """Those that they have in common; 0 for none, and where a person put several together."""
    codes = {wording.codes for wording in wordings if wording.codes}
    return codes.pop() if len(codes) == 1 else 0
