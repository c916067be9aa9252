"""Filters on metadata against their meaning written down in Python, over rows and views."""

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from shelf import MODES, bots, names, page, push, settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.documents import DEFAULT_BOT
from rag_service.knowledge.filters import read_filter
from rag_service.knowledge.store import DocumentFilter
from rag_service.storage.views.selection import Selection
from rag_service.storage.views.words import (
    SCORED_ALONE,
    Entry,
    SealedWords,
    TailWords,
    seal_words,
    weigh,
)

METADATA: list[dict[str, Any]] = [
    {},
    {"a": 1, "b": "x"},
    {"a": 1.0, "b": ["x", "y"], "c": None},
    {"a": True, "b": "é", "c": "2026-05-12"},
    {"a": "1", "b": [], "c": {"d": "x", "e": [1, 2]}},
    {"a": -3.5, "c": {"d": {}}, "b": [["x"], {"k": 1}]},
    {"a": [0, 10], "b": "xy", "c": False},
    {"a": 2**70, "b": "", "c": [None]},
    {"a": 2**53 + 1, "b": "x\0y", "any": "taken", "content_type": "x"},
    {"a.b": 1, "a": {"b": 2}, "c": "2026-06-01", "b": "\ud7ff\U0010ffff"},
    {'"': 1, "$.a": "x", "' or 1=1 --": 2, "b": "z" * 5000},
]
KEYS = ["a", "b", "c", "c.d", "c.e", "a.b", "b.k", "nobody", '"', "$.a", "' or 1=1 --", "%"]
SCALARS: list[Any] = [
    *(0, 1, 1.0, 2, -3.5, 10, 2**53 + 1, float(2**53), 2**70),
    *("", "1", "x", "xy", "e\u0301", "2026-05-20", "x\0y", "z" * 1000, "\ud7ff"),
    *(True, False, None),
]
ORDERS = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Key and value, `...` where there is no more than the key."""
    yield path, ...
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from flat(item, path)
    else:
        yield path, value


def kind(value: Any) -> str:
    if isinstance(value, bool) or value is None or value is ...:
        return repr(value)
    return "text" if isinstance(value, str) else "number"


def compares(compare: Callable[[Any, Any], bool], value: Any, operand: Any) -> bool:
    return kind(value) == kind(operand) and bool(compare(value, operand))


def holds(asked: dict[str, Any], metadata: dict[str, Any]) -> bool:
    return all(member_holds(name, value, metadata) for name, value in asked.items())


def member_holds(name: str, value: Any, metadata: dict[str, Any]) -> bool:
    if name == "any":
        return any(holds(one, metadata) for one in value)
    if name == "all":
        return all(holds(one, metadata) for one in value)
    if name == "not":
        return not holds(value, metadata)
    there = [v for key, inner in metadata.items() for k, v in flat(inner, key) if k == name]
    there = ["\u00e9" if v == "é" else v for v in there]
    if isinstance(value, list):
        return any(one_holds("eq", operand, there) for operand in value)
    if isinstance(value, dict):
        return all(one_holds(name, operand, there) for name, operand in value.items())
    return one_holds("eq", value, there)


def one_holds(name: str, operand: Any, there: list[Any]) -> bool:
    operand = "\u00e9" if operand == "e\u0301" else operand
    match name:
        case "eq":
            return any(compares(operator.eq, value, operand) for value in there)
        case "ne":
            return bool(there) and not one_holds("eq", operand, there)
        case "exists":
            return bool(there) is operand
        case "prefix":
            return any(compares(str.startswith, value, operand) for value in there)
        case _:
            return any(compares(ORDERS[name], value, operand) for value in there)


scalars = st.sampled_from(SCALARS)
ordered = st.sampled_from([one for one in SCALARS if kind(one) in ("text", "number")])
conditions = st.one_of(
    scalars,
    st.lists(scalars, max_size=3),
    st.fixed_dictionaries({}, optional=dict.fromkeys(ORDERS, ordered)).filter(bool),
    scalars.map(lambda value: {"ne": value}),
    scalars.map(lambda value: {"eq": value}),
    st.booleans().map(lambda value: {"exists": value}),
    st.sampled_from(["", "x", "2026", "\ud7ff", "z" * 1000]).map(lambda value: {"prefix": value}),
)
leaves = st.dictionaries(st.sampled_from(KEYS), conditions, max_size=2)
filters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda several: {"any": several}),
        st.lists(inner, max_size=3).map(lambda several: {"all": several}),
        inner.map(lambda one: {"not": one}),
    ),
    max_leaves=6,
)


def shelf_of(service: Service) -> dict[str, dict[str, Any]]:
    pages = {f"p{n}": metadata for n, metadata in enumerate(METADATA)}
    push(service, *(page(n, f"The heron of {n}.", metadata=m) for n, m in pages.items()))
    return pages


def listed(service: Service, asked: dict[str, Any], scope: Any = ALL_BOTS) -> list[str]:
    where = DocumentFilter(metadata=read_filter(asked))
    _, found = service.store.knowledge.documents(scope, where, limit=100, offset=0)
    return sorted(info.source_url.removeprefix("https://example.com/") for info in found)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Any]]:
    with assemble(settings_in(tmp_path_factory.mktemp("shelf"))) as service:
        pages = shelf_of(service)
        service.store.views.seal(DEFAULT_BOT, share=0)
        push(service, page("tail", "The heron of the tail.", metadata={"a": 1, "b": "x"}))
        yield service, pages | {"tail": {"a": 1, "b": "x"}}


@given(asked=filters)
@hypothesis_settings(max_examples=150)
@example(asked={"a": {"ne": 1}})
@example(asked={"not": {"a": 1}})
@example(asked={"a": 2**70})
@example(asked={"b": {"gte": "", "lt": "y"}})
def test_a_filter_leaves_what_its_meaning_says(
    shelf: tuple[Service, dict[str, Any]], asked: dict[str, Any]
) -> None:
    service, pages = shelf
    expected = sorted(name for name, metadata in pages.items() if holds(asked, metadata))
    assert listed(service, asked) == expected
    found = names(service, "heron", k=100, only=read_filter(asked))
    assert sorted(found) == expected


@pytest.mark.parametrize("mode", MODES)
def test_a_filter_narrows_every_mode_before_and_after_sealing(service: Service, mode: Any) -> None:
    shelf_of(service)
    only = read_filter({"b": "x"})
    expected = ["p1", "p2", "p5"]
    assert sorted(names(service, "heron", mode, only=only)) == expected
    service.store.views.seal(DEFAULT_BOT, share=0)
    assert sorted(names(service, "heron", mode, only=only)) == expected


def test_label_and_url_are_keys_as_well(service: Service) -> None:
    push(service, page("docs/a", "One.", content_type="faq", metadata={"content_type": "own"}))
    push(service, page("docs/b", "Two.", content_type="page"))
    push(service, page("docz", "Three.", content_type="page"))
    assert listed(service, {"source_url": {"prefix": "https://example.com/docs/"}}) == [
        "docs/a",
        "docs/b",
    ]
    assert listed(service, {"source_url": ["https://example.com/docz", "x:y"]}) == ["docz"]
    assert listed(service, {"content_type": "faq"}) == ["docs/a"]
    assert listed(service, {"content_type": {"ne": "faq"}}) == ["docs/b", "docz"]
    assert listed(service, {"content_type": {"exists": False}}) == []
    assert listed(service, {"content_type": {"gt": 5}}) == []
    assert listed(service, {"content_type": [5, None]}) == []
    assert len(listed(service, {"content_type": {"ne": 5}})) == 3
    assert listed(service, {"metadata.content_type": "own"}) == ["docs/a"]


def test_what_is_written_later_is_left_or_not_by_its_new_metadata(service: Service) -> None:
    only = read_filter({"topic": "birds"})
    push(service, page("a", "The heron waits.", metadata={"topic": "birds"}))
    push(service, page("b", "The heron flies.", metadata={"topic": "planes"}))
    assert names(service, "heron", only=only) == ["a"]
    push(service, page("b", "The heron flies.", metadata={"topic": "birds"}))
    assert sorted(names(service, "heron", only=only)) == ["a", "b"]
    push(service, page("a", "The heron waits.", metadata={}))
    assert names(service, "heron", only=only) == ["b"]
    push(service, page("b", "The heron sleeps, and dreams.", metadata={"topic": "birds"}))
    assert names(service, "dreams", "keyword", only=only) == ["b"]
    service.knowledge.remove(ALL_BOTS, DEFAULT_BOT, ["https://example.com/b"])
    assert names(service, "heron", only=only) == []
    push(service, page("c", "The heron again.", metadata={"topic": ["x", "birds"]}))
    assert names(service, "heron", only=only) == ["c"]


def test_a_change_of_metadata_alone_keeps_the_chunks(service: Service) -> None:
    push(service, page("a", "The heron waits.", metadata={"n": 1}))
    (before,) = service.knowledge.search(ALL_BOTS, "heron", DEFAULT_BOT).hits
    (report,) = service.knowledge.upsert(
        ALL_BOTS, [page("a", "The heron waits.", content_type="faq", metadata={"n": 2})]
    )
    (after,) = service.knowledge.search(ALL_BOTS, "heron", DEFAULT_BOT).hits
    assert after.passage.chunk_id == before.passage.chunk_id
    assert report.chunks.removed == 0 and not report.unchanged


def test_bots_do_not_see_each_others_documents_through_a_filter(service: Service) -> None:
    push(service, page("a", "The heron.", metadata={"n": 1}, bot_id="mine"))
    push(service, page("b", "The heron.", metadata={"n": 1}, bot_id="theirs"))
    only = read_filter({"n": 1})
    assert names(service, "heron", bot_id="mine", only=only) == ["a"]
    assert listed(service, {"n": 1}, bots("mine")) == ["a"]
    assert listed(service, {"not": {"n": 2}}, bots("mine")) == ["a"]
    assert listed(service, {"n": 1}) == ["a", "b"]


def test_of_very_many_values_the_first_are_seen_and_the_push_says_so(service: Service) -> None:
    many = page("a", "The heron.", metadata={"first": 1, "n": list(range(12_000)), "last": 1})
    (report,) = service.knowledge.upsert(ALL_BOTS, [many])
    assert any("12,003 values" in warning for warning in report.warnings)
    assert listed(service, {"first": 1, "n": 9000}) == ["a"]
    assert listed(service, {"last": 1}) == []


def test_words_of_a_selection_score_as_they_do_among_all(tmp_path: Any) -> None:
    """Whether its chunks are scored alone, or picked out of the best of all."""
    chunks = SCORED_ALONE + 2000
    entries = [
        Entry(3 * n + 1, f"heron {'reed ' * (n % 90)} stork{n % 7} {'the' if n % 3 else 'crane'}")
        for n in range(chunks)
    ]
    mean_length = seal_words(tmp_path / "words", entries) / chunks
    sealed = SealedWords(tmp_path / "words")
    ids = np.array([entry.chunk for entry in entries], np.int64)
    weights = weigh("heron in the reed, crane or stork3", sealed, TailWords(), mean_length)
    every = sealed.best(weights, chunks, None, ids, set())
    gone = {chunk for chunk, _ in every[:5]}
    rng = np.random.default_rng(0)
    for share in (0.001, 0.5, 0.95):
        chosen = ids[rng.random(chunks) < share]
        found = sealed.best(weights, 50, Selection(chosen), ids, gone)
        left = set(chosen.tolist()) - gone
        expected = [score for chunk, score in every if chunk in left][:50]
        assert {chunk for chunk, _ in found} <= left
        assert [score for _, score in found] == pytest.approx(expected, rel=1e-5)
    assert sealed.best(weights, 50, Selection(ids[:0]), ids, set()) == []
