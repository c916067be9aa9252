"""What a scope admits, for all bots there may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import bots

from rag_service.access.scope import ALL_BOTS, Scope
from rag_service.documents import DEFAULT_BOT
from rag_service.errors import Forbidden

names = st.sampled_from(["default", "shop", "Shop", "help", "a", "b"])
scopes = st.one_of(
    st.just(ALL_BOTS), st.frozensets(names, min_size=1).map(lambda some: Scope(some))
)


@given(scopes, names)
def test_a_bot_that_is_not_admitted_is_forbidden(scope: Scope, bot_id: str) -> None:
    admitted = scope.bot_ids is None or bot_id in scope.bot_ids
    assert scope.admits(bot_id) is admitted
    if admitted:
        scope.need(bot_id)
        assert scope.only(bot_id) == bots(bot_id)
        return
    for use in (scope.need, scope.only):
        with pytest.raises(Forbidden, match="bound to the bot"):
            use(bot_id)


@given(scopes, scopes, names)
def test_what_is_covered_is_admitted(scope: Scope, other: Scope, bot_id: str) -> None:
    if scope.covers(other) and other.admits(bot_id):
        assert scope.admits(bot_id)
    assert scope.covers(scope) and ALL_BOTS.covers(scope)
    assert scope.covers(ALL_BOTS) is (scope == ALL_BOTS)


@pytest.mark.parametrize("no_bot", [None, ""])
def test_what_belongs_to_no_bot_is_for_a_scope_of_all(no_bot: str | None) -> None:
    assert ALL_BOTS.admits(no_bot) and not bots("a", "b").admits(no_bot)
    ALL_BOTS.need_all("contacts")
    with pytest.raises(Forbidden, match="'a', 'b', and contacts belong to no bot"):
        bots("b", "a").need_all("contacts")


def test_what_names_no_bot_is_of_the_only_one_there_is() -> None:
    assert bots("shop").default_bot == "shop"
    assert ALL_BOTS.default_bot == DEFAULT_BOT
    assert ALL_BOTS.only(None) == ALL_BOTS


def test_a_scope_of_nothing_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="one bot at least"):
        bots()
