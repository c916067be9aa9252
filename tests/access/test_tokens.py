"""Tokens, what they may do, and how often."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import bots

from rag_service.access.caller import Caller
from rag_service.access.rates import Attempts, RateLimiter, read_rate
from rag_service.access.scope import ALL_BOTS
from rag_service.access.tokens import Access
from rag_service.assembly import Service, assemble
from rag_service.errors import (
    BadToken,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    NoTokens,
    RateLimited,
)
from rag_service.settings import Settings

SCOPES = ["knowledge", "transcripts", "chat", "admin"]
SECONDS = {"second": 1, "minute": 60, "hour": 3600}


@pytest.fixture
def access(service: Service) -> Access:
    return service.access


def caller(**changes) -> Caller:
    values = {"name": "one", "permissions": ["knowledge"], "scope": ALL_BOTS, "rates": {}}
    return Caller(**{**values, **changes})


class Clock:
    """`seconds` have gone by; calendars say so too, but for what somebody has set."""

    def __init__(self, seconds: float = 1_000_000.0) -> None:
        self.seconds = seconds
        self.set_by = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds + self.set_by, UTC)

    def monotonic(self) -> float:
        return self.seconds


def limiter(rate: str, clock: Clock) -> RateLimiter:
    return RateLimiter({"chat": "off", "data": rate, "webhook": "off"}, clock)


# -- tokens ---------------------------------------------------------------------------------------


def test_everything_is_closed_until_a_token_exists(access):
    for header in (None, "", "Bearer x"):
        with pytest.raises(NoTokens, match="rag-service token create"):
            access.identify(header)


def test_a_token_has_48_characters_and_is_never_the_same(access):
    tokens = {access.create(f"t{i}") for i in range(20)}
    assert len(tokens) == 20
    for token in tokens:
        assert len(token) == 48
        assert token.isascii() and token.isprintable() and " " not in token


def test_a_token_names_its_caller(access):
    token = access.create("importer", ["knowledge"], "shop", {"data": "off"})
    assert access.identify(f"Bearer {token}") == Caller(
        name="importer", permissions=["knowledge"], scope=bots("shop"), rates={"data": "off"}
    )


def test_each_of_many_tokens_is_found(access):
    tokens = {f"t{i}": access.create(f"t{i}") for i in range(10)}
    for name, token in tokens.items():
        assert access.identify(f"Bearer {token}").name == name


@pytest.mark.parametrize("kind", ["bearer", "BEARER", "Bearer"])
@pytest.mark.parametrize("space", [" ", "  "])
def test_the_word_bearer_is_read_in_any_case(access, kind, space):
    assert access.identify(f"{kind}{space}{access.create('one')} ").name == "one"


def test_what_is_not_a_token_is_refused(access):
    token = access.create("one")
    wrong = [
        None,
        "",
        "Bearer",
        "Bearer ",
        token,
        f"Basic {token}",
        f"Bearer{token}",
        f"Bearer {token[:-1]}",
        f"Bearer {token}x",
        f"Bearer {token.swapcase()}",
        f"Bearer Bearer {token}",
        "Bearer \ud800",
        "Bearer \xe4\x00",
    ]
    for header in wrong:
        with pytest.raises(BadToken):
            access.identify(header)


@given(header=st.text(st.characters(exclude_categories=())))
def test_no_header_raises_anything_else(tmp_path_factory, header):
    with assemble(_settings(tmp_path_factory.getbasetemp() / "headers")) as service:
        if not service.access.tokens():
            service.access.create("one")
        with pytest.raises(BadToken):
            service.access.identify(header)


def _settings(folder: Path) -> Settings:
    return Settings(
        data_dir=folder / "data", index_dir=folder / "indexes", embedding_model="hashing:64"
    )


def test_only_a_hash_is_on_disk(settings):
    with assemble(settings) as service:
        tokens = [service.access.create("one"), service.access.create("two")]
        tokens.append(service.access.rotate("two"))
        files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
        assert any(b"one" in path.read_bytes() for path in files)
        for path in files:
            content = path.read_bytes()
            assert not any(token.encode() in content for token in tokens)
        assert not any(token in str(kept) for token in tokens for kept in service.access.tokens())


def test_a_change_holds_at_once_in_another_process(settings):
    with assemble(settings) as here, assemble(settings) as there:
        old = here.access.create("one")
        assert there.access.identify(f"Bearer {old}").name == "one"
        new = here.access.rotate("one")
        with pytest.raises(BadToken):
            there.access.identify(f"Bearer {old}")
        assert there.access.identify(f"Bearer {new}").name == "one"
        here.access.revoke("one")
        with pytest.raises(NoTokens):
            there.access.identify(f"Bearer {new}")


def test_a_rotated_token_keeps_what_it_may_do(access):
    access.create("one", ["chat"], "shop", {"chat": "5/second"})
    kept = access.identify(f"Bearer {access.rotate('one')}")
    assert (kept.permissions, kept.scope) == (["chat"], bots("shop"))
    assert kept.rates == {"chat": "5/second"}


def test_a_revoked_token_leaves_the_others(access):
    one, two = access.create("one"), access.create("two")
    access.revoke("one")
    assert access.identify(f"Bearer {two}").name == "two"
    with pytest.raises(BadToken):
        access.identify(f"Bearer {one}")
    assert access.create("one") != one


def test_a_name_is_taken_once(access):
    token = access.create("one")
    with pytest.raises(Conflict, match="'one' exists"):
        access.create("one")
    assert access.identify(f"Bearer {token}").name == "one"


def test_a_name_that_is_not_there_is_said(access):
    for change in (access.rotate, access.revoke):
        with pytest.raises(NotFound, match="'nobody'"):
            change("nobody")


@pytest.mark.parametrize("name", ["", " ", "a b", "-a", "a/b", "ä", "a\n", "x" * 101, "\x00"])
def test_a_name_that_cannot_be_typed_is_refused(access, name):
    with pytest.raises(Invalid, match="a token's name"):
        access.create(name)
    assert access.tokens() == []


def test_a_token_without_scopes_gets_all_but_admin(access):
    access.create("one")
    access.create("two", [])
    access.create("three", ["chat", "chat"])
    assert {token.name: token.scopes for token in access.tokens()} == {
        "one": ["knowledge", "transcripts", "chat"],
        "two": ["knowledge", "transcripts", "chat"],
        "three": ["chat"],
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"scopes": ["all"]}, "unknown scope 'all': use knowledge"),
        ({"rates": {"date": "off"}}, "unknown class 'date': use chat, data, webhook"),
        ({"rates": {"data": "many"}}, "bad rate 'many'"),
        ({"bot_id": "a bot"}, "the bot 'a bot' must be"),
        ({"bot_id": ""}, "the bot '' must not be blank"),
    ],
)
def test_a_token_that_could_never_be_used_is_refused(access, changes, reason):
    with pytest.raises(Invalid, match=reason):
        access.create("one", **changes)
    assert access.tokens() == []


# -- scopes and bots ------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_opens_what_it_names(scope):
    one = caller(permissions=[scope])
    for wanted in SCOPES:
        if wanted == scope or scope == "admin":
            one.need(wanted)
        else:
            with pytest.raises(Forbidden, match=wanted):
                one.need(wanted)


# -- rates ----------------------------------------------------------------------------------------


def test_a_window_is_counted_down_and_begins_again():
    clock = Clock(120.0)
    limits = limiter("3/minute", clock)
    taken = [limits.take(caller(), "data") for _ in range(3)]
    assert [(a.limit, a.remaining, a.reset) for a in taken] == [
        (3, 2, 180),
        (3, 1, 180),
        (3, 0, 180),
    ]
    clock.seconds = 150.5
    with pytest.raises(RateLimited) as caught:
        limits.take(caller(), "data")
    assert (caught.value.limit, caught.value.reset, caught.value.retry_after) == (3, 180, 30)
    clock.seconds = 180.0
    assert limits.take(caller(), "data").remaining == 2


def test_after_waiting_as_told_there_is_room():
    for moment in (100.0, 100.999, 119.5, 119.999):
        clock = Clock(moment)
        limits = limiter("1/second", clock)
        limits.take(caller(), "data")
        with pytest.raises(RateLimited) as caught:
            limits.take(caller(), "data")
        assert caught.value.retry_after >= 1
        clock.seconds += caught.value.retry_after
        limits.take(caller(), "data")


@pytest.mark.parametrize("hours", [-48, -1, 1, 48])
def test_a_clock_that_is_set_gives_no_window_twice_and_locks_nobody_out(hours: int) -> None:
    clock = Clock()
    limits, attempts = limiter("2/hour", clock), Attempts("2/hour", clock)
    for _ in range(2):
        limits.take(caller(), "data")
        attempts.failed("192.0.2.1")
    clock.set_by = hours * 3600.0
    for count in (lambda: limits.take(caller(), "data"), lambda: attempts.failed("192.0.2.1")):
        with pytest.raises(RateLimited) as caught:
            count()
        assert 0 < caught.value.reset - clock.now().timestamp() <= 3601
    clock.seconds += caught.value.retry_after
    limits.take(caller(), "data")
    attempts.failed("192.0.2.1")


def test_off_never_ends_and_tells_no_limit():
    limits = limiter("off", Clock())
    assert {limits.take(caller(), "data") for _ in range(100)} == {None}


def test_each_token_and_class_has_windows_of_its_own():
    limits = RateLimiter({"chat": "1/hour", "data": "1/hour", "webhook": "1/hour"}, Clock())
    for name in ("one", "two"):
        for kind in ("chat", "data", "webhook"):
            assert limits.take(caller(name=name), kind).remaining == 0
    with pytest.raises(RateLimited):
        limits.take(caller(name="one"), "data")


def test_a_rate_of_the_token_goes_before_the_default():
    limits = limiter("1/hour", Clock(0))
    assert limits.take(caller(rates={"data": "off"}), "data") is None
    assert limits.take(caller(rates={"data": "7/second"}), "data").limit == 7
    assert limits.take(caller(name="two", rates={"chat": "off"}), "data").limit == 1


@given(
    number=st.integers(1, 5),
    unit=st.sampled_from(sorted(SECONDS)),
    steps=st.lists(st.floats(0, 5000, allow_nan=False), max_size=60),
)
def test_no_window_takes_more_than_its_number(number, unit, steps):
    clock = Clock()
    limits = limiter(f"{number}/{unit}", clock)
    taken: dict[int, int] = {}
    for step in steps:
        clock.seconds += step
        window = int(clock.seconds // SECONDS[unit])
        try:
            allowance = limits.take(caller(), "data")
        except RateLimited as error:
            assert taken[window] == number
            assert clock.seconds < error.reset <= clock.seconds + 1 + SECONDS[unit]
        else:
            taken[window] = taken.get(window, 0) + 1
            assert allowance.remaining == number - taken[window]
            assert abs(allowance.reset - (window + 1) * SECONDS[unit]) <= 1
    assert all(count <= number for count in taken.values())


def test_many_threads_take_no_more_than_one_would():
    limits = limiter("50/hour", Clock())
    start = threading.Barrier(8)

    def take(_: int) -> int:
        start.wait()
        taken = 0
        for _ in range(30):
            try:
                limits.take(caller(), "data")
                taken += 1
            except RateLimited:
                pass
        return taken

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 50


@given(number=st.integers(1, 999_999_999), unit=st.sampled_from(sorted(SECONDS)))
def test_a_rate_is_read(number, unit):
    assert read_rate(f"{number}/{unit}") == (number, SECONDS[unit])
    assert read_rate(f" {number}/{unit}\n") == (number, SECONDS[unit])
    assert read_rate("off") is None


@pytest.mark.parametrize(
    "rate",
    [
        "",
        "0/hour",
        "-1/hour",
        "01/hour",
        "1.5/hour",
        "1 /hour",
        "1/day",
        "1/hours",
        "1/",
        "/hour",
        "1/hour/1",
        "9999999999/hour",
        "٣/hour",
        "OFF",
        "offf",
        "off/hour",
    ],
)
def test_a_bad_rate_is_refused(rate):
    with pytest.raises(Invalid, match=r"use N/second, N/minute, N/hour or off"):
        read_rate(rate)


@given(rate=st.text(st.characters(exclude_categories=())))
def test_any_other_text_is_no_rate(rate):
    try:
        read = read_rate(rate)
    except Invalid:
        return
    assert read is None or (read[0] >= 1 and read[1] in SECONDS.values())
