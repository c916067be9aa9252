"""How a filter is read: what is refused, and with which words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.knowledge.filters import (
    DEEPEST,
    AllOf,
    AnyOf,
    Condition,
    Not,
    read_filter,
    successor,
)


def fault(given: Any) -> str:
    with pytest.raises(ValueError) as error:
        read_filter(given)
    return str(error.value)


def nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {"a": 1}
    for _ in range(depth):
        found = {"not": found}
    return found


def test_members_of_an_object_are_all_wanted() -> None:
    both = read_filter({"a": 1, "b": {"gte": 2, "lt": 3}})
    assert both == AllOf(
        (
            Condition(key="a", operator="in", values=(1,)),
            Condition(key="b", operator="gte", values=(2,)),
            Condition(key="b", operator="lt", values=(3,)),
        )
    )


@pytest.mark.parametrize("nothing", [{}, [], "", " ", "{}", "[]"])
def test_a_filter_without_a_condition_is_none(nothing: Any) -> None:
    assert read_filter(nothing) is None


def test_json_in_a_string_is_read_as_the_object_is() -> None:
    asked = {"any": [{"a": [1, "x", None, True]}, {"not": {"a.b": {"exists": False}}}]}
    assert read_filter(json.dumps(asked)) == read_filter(asked)
    assert read_filter("\ufeff" + json.dumps(asked)) == read_filter(asked)


def test_groups_of_nothing_stay() -> None:
    assert read_filter({"any": []}) == AnyOf(())
    assert read_filter({"not": {"all": []}}) == Not(AllOf(()))
    assert read_filter({"a": []}) == Condition(key="a", operator="in", values=())


def test_a_taken_name_is_reached_below_metadata() -> None:
    for name in ("any", "all", "not", "content_type", "source_url"):
        assert read_filter({f"metadata.{name}": 1}) == Condition(
            key=name, operator="in", values=(1,)
        )


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (5, "must be an object"),
        ([1], "must be an object"),
        ("topic", "must be a JSON object"),
        ('{"a": ', "must be a JSON object"),
        ("[" * 100_000, "must be a JSON object"),
        ({"a": {"regex": "x"}}, "`a` has no operator 'regex': use eq, in, ne"),
        ({"a": {"$gt": 1}}, "`a` has no operator '$gt'"),
        ({"a": {}}, "`a` needs an operator"),
        ({"a": {"gte": None}}, "`a.gte` must be a number or a string"),
        ({"a": {"lt": True}}, "`a.lt` must be a number or a string"),
        ({"a": {"gt": [1]}}, "`a.gt` must be a number or a string"),
        ({"a": {"ne": [1]}}, "`a.ne` must be a string, a number"),
        ({"a": {"in": 1}}, "`a.in` must be a list"),
        ({"a": {"prefix": 1}}, "`a.prefix` must be a string"),
        ({"a": {"exists": "yes"}}, "`a.exists` must be true or false"),
        ({"a": [[1]]}, "`a.in` must be a list of strings"),
        ({"a": [{"b": 1}]}, "`a.in` must be a list of strings"),
        ({"any": {"a": 1}}, "`any` must be a list of filters"),
        ({"all": "x"}, "write `metadata.all`"),
        ({"any": [1]}, "`any` must hold filters"),
        ({"not": "x"}, "`not` must hold filters"),
        ({"any": [{"not": {"a": {"like": 1}}}]}, "`any.not.a` has no operator"),
        (nested(100), f"nested at most {DEEPEST} deep"),
        ({"a": list(range(1_000_000))}, "at most 10,000 values"),
        ({"any": [{"a": n} for n in range(1000)]}, "at most 200 conditions"),
        ({str(n): n for n in range(1000)}, "at most 200 conditions"),
        ({"a": "x" * 1001}, "a value of more than 1,000 characters"),
        ({"x" * 1001: 1}, "a key of more than 1,000 characters"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_filter_is_told_by_its_place(asked: Any, told: str) -> None:
    message = fault(asked)
    assert told in message
    assert len(message) < 300


def test_a_filter_may_be_as_deep_as_it_says() -> None:
    assert read_filter(nested(DEEPEST - 1)) is not None
    fault(nested(DEEPEST))


@given(st.text(), st.text())
def test_a_prefix_ends_before_its_successor(prefix: str, rest: str) -> None:
    end = successor(prefix)
    if end is None:
        assert not prefix.strip("\U0010ffff")
    else:
        assert prefix + rest < end
        assert not end.startswith(prefix) or not prefix
