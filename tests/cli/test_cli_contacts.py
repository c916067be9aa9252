"""`rag-service contact`, as its users run it."""

import csv
import io
import json
import re

import pytest
from shell import golden


@pytest.fixture
def people(tmp_path):
    file = tmp_path / "people.csv"
    file.write_text(
        "email,name,phone,userId,Plan\n"
        "ann@example.com,=Ann,+14155550123,u1,pro\n"
        "bob@example.com,Bob,,,\n"
    )
    return file


def listed(shell, *words):
    result = shell.quick("contact", "list", *words)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_file_is_imported_and_listed_the_newest_first(shell, people):
    result = shell.quick("contact", "import", str(people))
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "failed": 0,
        "errors": [],
    }
    bob, ann = listed(shell)
    assert (bob["email"], ann["email"]) == ("bob@example.com", "ann@example.com")
    assert (ann["name"], ann["phone"], ann["user_id"]) == ("=Ann", "+14155550123", "u1")
    assert (ann["metadata"], ann["status"]) == ({"Plan": "pro"}, "orphan")
    again = json.loads(shell.quick("contact", "import", str(people)).stdout)
    assert (again["created"], again["unchanged"]) == (0, 2)


def test_a_list_takes_search_limit_and_offset(shell, people):
    shell.quick("contact", "import", str(people))

    def found(*words):
        return [contact["email"] for contact in listed(shell, *words)]

    assert found("--search", "ANN@") == ["ann@example.com"]
    assert found("--limit", "1") == ["bob@example.com"]
    assert found("--limit", "1", "--offset", "1") == ["ann@example.com"]
    assert found("--search", "nobody") == []


def test_bad_lines_are_told_with_their_numbers_and_end_with_1(shell, tmp_path):
    file = tmp_path / "some.csv"
    file.write_text("email,name\nann@example.com,Ann\nnobody,x\n,y\n")
    result = shell.quick("contact", "import", str(file))
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["created"], report["failed"]) == (1, 2)
    assert [error["line"] for error in report["errors"]] == [3, 4]
    first, second = result.stderr.splitlines()
    assert first.startswith("line 3: email must be an address")
    assert second.startswith("line 4: email is required")


def test_what_is_no_file_of_contacts_is_said(shell, tmp_path):
    file = tmp_path / "some.csv"
    file.write_text("Ann,Bob\n")
    result = shell.quick("contact", "import", str(file))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "header that names email, phone or user_id" in result.stderr
    assert shell.quick("contact", "import", str(tmp_path / "none.csv")).exit_code == 2
    result = shell.quick("contact", "import", str(file), "--region", "Mars")
    assert result.exit_code == 2
    assert "--region must be the two letters" in result.stderr


def test_a_region_reads_national_phones(shell, tmp_path):
    file = tmp_path / "some.csv"
    file.write_text("phone\n030 123456\n")
    assert shell.quick("contact", "import", str(file)).exit_code == 1
    assert shell.quick("contact", "import", str(file), "--region", "de").exit_code == 0
    assert [contact["phone"] for contact in listed(shell)] == ["+4930123456"]


def test_an_export_is_csv_that_can_be_imported_again(shell, people, tmp_path):
    shell.quick("contact", "import", str(people))
    done = shell.run("contact", "export")
    assert done.returncode == 0
    lines = list(csv.DictReader(io.StringIO(done.stdout.removeprefix("\ufeff"), newline="")))
    assert [line["email"] for line in lines] == ["ann@example.com", "bob@example.com"]
    assert (lines[0]["name"], lines[0]["phone"]) == ("'=Ann", "'+14155550123")
    file = tmp_path / "export.csv"
    file.write_text(done.stdout)
    again = json.loads(shell.quick("contact", "import", str(file)).stdout)
    assert again["unchanged"] == 2
    some = shell.quick("contact", "export", "--search", "bob").stdout
    assert [line["email"] for line in csv.DictReader(io.StringIO(some[1:]))] == ["bob@example.com"]


def test_contacts_on_a_terminal(shell, tmp_path):
    lines = [f"n{number}@example.com,N{number}," for number in range(1200)]
    file = tmp_path / "some.csv"
    file.write_text("\n".join(["email,name,userId", *lines, "ann@example.com,Ann,u1", "nobody,,"]))
    code, shown = shell.on_a_terminal("contact", "import", file)
    assert code == 1
    assert re.search(r"Importing .*1203/1203", shown)
    assert "1201 created, 0 updated, 0 unchanged, 1 failed" in shown
    assert "line 1203: email must be an address" in shown
    code, shown = shell.on_a_terminal("contact", "list", "--limit", "2", COLUMNS="140")
    assert code == 0
    golden("contacts.txt", re.sub(r"con_[0-9a-f]{32}", "con_" + "0" * 32, shown))


def test_no_contacts_are_said(shell):
    assert shell.on_a_terminal("contact", "list") == (0, "Contacts: none yet\n")
    assert listed(shell) == []


def test_contacts_need_no_model(shell, people):
    for words in (["import", str(people)], ["list"], ["export"]):
        result = shell.quick("contact", *words, RAG_EMBEDDING_MODEL="no-such-model")
        assert result.exit_code == 0, result.output
