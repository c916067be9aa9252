"""Requests of front ends for themselves leave nothing behind."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from openai_shop import HOURS, OPENS, Shop, open_shop, said, user
from task_requests import EIGHT_WORDINGS

from rag_service.storage.sqlite.driver import sqlite3


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


def test_two_hundred_titles_tags_and_suggestions_leave_no_row_and_no_signal(shop):
    wordings = [
        [{"role": one.role, "content": one.text} for one in messages] for messages in EIGHT_WORDINGS
    ]
    for number in range(200):
        messages = wordings[number % len(wordings)]
        answer = shop.ask(*messages, stream=number % 3 == 0, user=f"u{number}")
        assert answer.status_code == 200
        assert '"rag"' not in answer.text
    assert said(shop.ask(*wordings[0])) == '{"title":"How do I reset my password"}'
    with closing(sqlite3.connect(shop.settings.data_dir / "rag.db")) as connection:
        for table in ("messages", "conversations", "signals", "contexts"):
            assert connection.execute(f"select count(*) from {table}").fetchone() == (0,), table
    assert said(shop.ask(user(OPENS))) == f"{HOURS} [1]"
    assert shop.total() == 2


def test_a_task_is_cut_off_as_an_answer_is(shop):
    answer = shop.ask(*[vars_of(one) for one in EIGHT_WORDINGS[4]], max_tokens=3).json()
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["total_tokens"] > 20


def vars_of(message):
    return {"role": message.role, "content": message.text}
