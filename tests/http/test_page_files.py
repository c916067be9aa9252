"""The files of the page: few, small, of known origin, and translated whole."""

import gzip
import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

WEB = Path(str(files("rag_service.web")))
MODULES = sorted(WEB.glob("*.js"))
LARGEST = 150_000
"""Bytes of all that a browser may load, as they are sent."""
LONGEST_MODULE = 200


def keys_of(language: str) -> set[str]:
    text = (WEB / "texts" / f"{language}.js").read_text()
    return set(re.findall(r'(?:^|[,{]|\n)\s*"?([a-z][\w.\- ]*)"?: (?=["{])', text)) - {
        "one",
        "other",
    }


def test_all_that_a_browser_loads_is_small():
    sent = [one for one in WEB.rglob("*") if one.suffix in {".html", ".css", ".js", ".svg"}]
    assert sum(len(gzip.compress(one.read_bytes())) for one in sent) < LARGEST
    for module in MODULES:
        assert len(module.read_text().splitlines()) < LONGEST_MODULE, module.name


def test_what_others_wrote_is_what_the_manifest_says():
    vendor = WEB / "vendor"
    rows = json.loads((vendor / "manifest.json").read_text())
    assert {row["file"] for row in rows} == {one.name for one in vendor.glob("*.js")}
    for row in rows:
        content = (vendor / row["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"], row["file"]
        assert row["version"] and row["licence"] and row["archive"].startswith("sha512-")


def test_the_page_calls_the_service_by_the_client_for_javascript_as_it_is():
    client = Path(__file__).parents[2] / "clients" / "javascript" / "src"
    copies = sorted((WEB / "vendor" / "client").glob("*.js"))
    assert [one.name for one in copies] == ["client.js", "http.js", "streams.js"]
    for one in copies:
        assert one.read_bytes() == (client / one.name).read_bytes(), "make vendor brings it"


def test_a_translation_has_every_word_and_no_other():
    english = keys_of("en")
    assert len(english) > 200
    assert keys_of("de") == english


@pytest.mark.parametrize("module", MODULES, ids=lambda one: one.name)
def test_no_module_makes_html_of_text_or_code_of_it(module):
    text = module.read_text()
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "dangerouslySetInnerHTML",
        "http://",
        "srcdoc",
    ):
        assert word not in text, word


@pytest.mark.parametrize("module", MODULES, ids=lambda one: one.name)
def test_every_word_that_a_module_says_is_in_the_texts(module):
    english = keys_of("en")
    said = re.findall(r'\bt\("([^"]+)"', module.read_text())
    assert set(said) <= english


def test_all_that_the_first_room_needs_is_asked_for_at_once():
    asked = re.findall(r'modulepreload" href="([^"]+)"', (WEB / "index.html").read_text())
    assert set(asked) | {"app.js"} == needed_by("app.js")


def needed_by(module: str) -> set[str]:
    """The module, and those that it imports without which it does not run."""
    found, left = set(), [WEB / module]
    while left:
        file = left.pop()
        name = file.relative_to(WEB).as_posix()
        if name not in found:
            found.add(name)
            imported = re.findall(
                r'^(?:import|export) .*?from ?"(\.[^"]+)"|^import \* as .*"(\.[^"]+)"',
                file.read_text(),
                re.MULTILINE,
            )
            vendored = re.findall(r'from"(\./[^"]+)"', file.read_text())
            left += [(file.parent / one).resolve() for pair in imported for one in pair if one]
            left += [(file.parent / one).resolve() for one in vendored]
    return found
