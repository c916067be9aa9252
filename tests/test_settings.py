"""RAG_* variables, read once, and all that is wrong with them told at once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rag_service.errors import InvalidSettings
from rag_service.settings import Settings, load_settings

rates = st.one_of(
    st.just("off"),
    st.builds(
        "{}/{}".format, st.integers(1, 999_999_999), st.sampled_from(["second", "minute", "hour"])
    ),
)
words = st.text(st.characters(codec="utf-8", exclude_characters="\x00~"), min_size=1, max_size=30)


def test_the_defaults_are_those_of_the_contract():
    settings = load_settings({})
    assert settings == Settings()
    assert (settings.data_dir, settings.index_dir) == (Path("data"), Path("indexes"))
    assert settings.embedding_model == "all-MiniLM-L6-v2"
    assert (settings.rate_chat, settings.rate_data, settings.rate_webhook) == (
        "100/minute",
        "1000/hour",
        "500/minute",
    )
    assert settings.host == "127.0.0.1"  # nobody outside this machine
    assert settings.max_body_bytes == 20 * 1024 * 1024


def test_a_variable_sets_its_field():
    settings = load_settings(
        {
            "RAG_DATA_DIR": "/srv/rag",
            "RAG_PORT": "0",
            "RAG_MAX_BODY_MB": "3",
            "RAG_RATE_DATA": "off",
            "RAG_LOCK_TIMEOUT_S": "0.5",
            "PATH": "/bin",
            "rag_port": "not ours",
        }
    )
    assert settings == Settings(
        data_dir=Path("/srv/rag"), port=0, max_body_mb=3, rate_data="off", lock_timeout_s=0.5
    )


def test_a_path_may_begin_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    assert load_settings({"RAG_DATA_DIR": "~/rag"}).data_dir == Path("/home/someone/rag")


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("RAG_DATADIR", "RAG_DATA_DIR"),
        ("RAG_EMBEDING_MODEL", "RAG_EMBEDDING_MODEL"),
        ("RAG_EMBED_MODEL", "RAG_EMBEDDING_MODEL"),
        ("RAG_RATE_WEBHOOKS", "RAG_RATE_WEBHOOK"),
        ("RAG_port", "RAG_PORT"),
        ("RAG_", "RAG_"),
        ("RAG_\udcff", "RAG_"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(wrong, near):
    with pytest.raises(InvalidSettings) as caught:
        load_settings({wrong: "x"})
    assert list(caught.value.params) == [wrong]
    assert f"{wrong}: unknown setting; did you mean {near}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RAG_PORT", "x"),
        ("RAG_PORT", ""),
        ("RAG_PORT", "65536"),
        ("RAG_PORT", "-1"),
        ("RAG_PORT", "1.5"),
        ("RAG_HOST", ""),
        ("RAG_MAX_BODY_MB", "0"),
        ("RAG_MAX_BODY_MB", "9" * 30),
        ("RAG_LOCK_TIMEOUT_S", "0"),
        ("RAG_LOCK_TIMEOUT_S", "nan"),
        ("RAG_LOCK_TIMEOUT_S", "inf"),
        ("RAG_LOCK_TIMEOUT_S", "1e300"),
        ("RAG_RATE_CHAT", "many"),
        ("RAG_RATE_DATA", "1000"),
        ("RAG_RATE_WEBHOOK", "0/hour"),
        ("RAG_LOG_LEVEL", "loud"),
        ("RAG_DATA_DIR", "~nobody-at-all/data"),
    ],
)
def test_a_bad_value_is_named(name, value):
    with pytest.raises(InvalidSettings) as caught:
        load_settings({name: value})
    assert list(caught.value.params) == [name]
    assert f"{name}: {value!r}: " in str(caught.value)


def test_all_that_is_wrong_is_named_at_once():
    bad = {"RAG_PORT": "x", "RAG_RATE_CHAT": "y", "RAG_HOSTS": "z", "RAG_LOG_LEVEL": "w"}
    with pytest.raises(InvalidSettings) as caught:
        load_settings({**bad, "RAG_DATA_DIR": "fine"})
    assert set(caught.value.params) == set(bad)
    assert "use N/second, N/minute, N/hour or off" in str(caught.value)
    assert "use debug, info, warning or error" in str(caught.value)


@given(
    settings=st.builds(
        Settings,
        data_dir=words.map(Path),
        index_dir=words.map(Path),
        host=words,
        port=st.integers(0, 65535),
        embedding_model=words,
        max_body_mb=st.integers(1, 1024),
        lock_timeout_s=st.floats(0.001, 86400),
        rate_chat=rates,
        rate_data=rates,
        rate_webhook=rates,
        log_level=st.sampled_from(["debug", "info", "warning", "error"]),
    )
)
def test_environ_gives_the_same_settings_again(settings):
    assert load_settings(settings.environ()) == settings


@given(st.dictionaries(st.sampled_from(sorted(Settings().environ())), st.text(), max_size=4))
def test_no_value_raises_anything_else(environ):
    try:
        settings = load_settings(environ)
    except InvalidSettings as error:
        assert set(error.params) <= set(environ)
    else:
        assert replace(settings) == load_settings(settings.environ())


@pytest.mark.parametrize(
    ("value", "expected"),
    [("on", True), ("off", False), ("ON", True), ("true", True), ("False", False), ("no", False)],
)
def test_a_switch_is_read_as_people_write_it(value, expected):
    assert load_settings({"RAG_SMALL_TALK": value}).small_talk is expected
    with pytest.raises(InvalidSettings, match="use true or false"):
        load_settings({"RAG_SMALL_TALK": f"{value}?"})
