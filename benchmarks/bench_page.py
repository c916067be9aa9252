"""How soon the page stands, and how soon its first word comes, in chromium on this machine.

    python benchmarks/bench_page.py [--small]

JSON: the first contentful paint of a first visit and of a second one (whose files are checked, not
sent), in milliseconds after the navigation began; the first word of an answer as the page shows it
and as the API sends it, in turns, in milliseconds after the question; and the nodes of a list of
transcripts. Medians. The model is the one that needs no weights, so that what is measured is the
page.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "web")]

from sites import QUESTION, Site, site_in  # noqa: E402

PAINT = """() => new Promise(found => {
  const look = list => list.getEntries().forEach(one =>
    one.name === "first-contentful-paint" && found(one.startTime));
  new PerformanceObserver(look).observe({type: "paint", buffered: true});
})"""
FIRST_WORD = """question => new Promise(found => {
  const box = document.querySelector("textarea");
  box.value = question;
  box.dispatchEvent(new Event("input", {bubbles: true}));
  setTimeout(() => {
    const before = document.querySelectorAll(".answer .prose p").length;
    const began = performance.now();
    const look = () => document.querySelectorAll(".answer .prose p").length > before
      && found(performance.now() - began);
    new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
    box.form.requestSubmit();
  }, 50);
})"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="few repetitions")
    parser.add_argument("--rows", type=int, help="transcript rows; 10,000 without --small")
    asked = parser.parse_args()
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        print(json.dumps({"skipped": "no chromium: apt-get install chromium"}))
        return
    times = 3 if asked.small else 15
    rows = asked.rows or (400 if asked.small else 10_000)
    with (
        tempfile.TemporaryDirectory() as folder,
        site_in(Path(folder), rows) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        paints = [_paints(browser, site) for _ in range(times)]
        words = _first_words(browser, site, times)
        nodes = _nodes(browser, site, rows)
        browser.close()
    figures = {
        "first_paint_ms": statistics.median(first for first, _ in paints),
        "second_paint_ms": statistics.median(second for _, second in paints),
        "first_word_page_ms": statistics.median(page for page, _ in words),
        "first_word_api_ms": statistics.median(api for _, api in words),
        "transcript_rows": rows,
        "most_nodes": nodes,
        "times": times,
    }
    print(json.dumps({name: round(value, 1) for name, value in figures.items()}))


def _paints(browser: Browser, site: Site) -> tuple[float, float]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(site.door)
    page.wait_for_selector("main > *")
    first = page.evaluate(PAINT)
    page.reload()
    page.wait_for_selector("main > *")
    second = page.evaluate(PAINT)
    context.close()
    return first, second


def _first_words(browser: Browser, site: Site, times: int) -> list[tuple[float, float]]:
    page = browser.new_page()
    page.goto(site.door)
    page.wait_for_selector("textarea")
    pairs = []
    for _ in range(times + 1):
        api = _first_word_of_api(site)
        pairs.append((page.evaluate(FIRST_WORD, QUESTION), api))
        page.wait_for_selector("[role=log][aria-busy=false]")
    page.close()
    return pairs[1:]


def _first_word_of_api(site: Site) -> float:
    began = time.perf_counter()
    with site.api.stream("POST", "/chat/default/stream", json={"message": QUESTION}) as answer:
        for line in answer.iter_lines():
            if line == "event: delta":
                return 1000 * (time.perf_counter() - began)
    raise SystemExit("no word came")


def _nodes(browser: Browser, site: Site, rows: int) -> int:
    """The most there were at any of twenty places of the list."""
    page: Page = browser.new_page()
    page.goto(site.door)
    page.wait_for_selector("main > *")
    page.evaluate("location.hash = '#/transcripts?bot=crowd&order=asc'")
    page.wait_for_selector(".window li a")
    most = 0
    for step in range(21):
        page.evaluate(
            "part => { const box = document.querySelector('.window');"
            " box.scrollTop = box.scrollHeight * part }",
            step / 20,
        )
        page.wait_for_timeout(250)
        most = max(most, page.evaluate("document.querySelectorAll('*').length"))
    page.get_by_text(f"Row {rows - 1} of many.").wait_for()
    page.close()
    return most


if __name__ == "__main__":
    main()
