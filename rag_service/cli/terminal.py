"""What people see: colour, tables and progress on a terminal, plain JSON in a pipe.

More than 300 lines: one method for each thing that commands show, and nothing else.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from rag_service.cli.doctor import Finding
from rag_service.cli.evaluate import Calibrated, Report
from rag_service.cli.ingest import IngestReport
from rag_service.cli.talk import Reply
from rag_service.contacts.files import ImportReport
from rag_service.contacts.store import Contact
from rag_service.conversations.transcripts import TranscriptItem
from rag_service.knowledge.evaluation import Comparison
from rag_service.knowledge.finding.explanations import explanation
from rag_service.knowledge.finding.findings import Findings
from rag_service.knowledge.search_result import search_answer


class Terminal:
    """`as_json` asks for JSON on a terminal too."""

    def __init__(self, as_json: bool) -> None:
        self._out = Console(highlight=False, emoji=False)
        self._err = Console(stderr=True, highlight=False, emoji=False)
        self.is_json = as_json or not sys.stdout.isatty()  # rich takes FORCE_COLOR for a terminal

    def welcome(self, url: str, token: str | None) -> None:
        """A new token is shown even in a pipe, since it is shown only this once."""
        shown = token or "$TOKEN"
        auth = f'-H "Authorization: Bearer {shown}"'
        lines = [f"Serving on {url}   (the page: {url}/ui/, the API: {url}/schema)"]
        if token:
            lines += ["", "Your token, shown this once:", "", f"    {token}"]
            lines += ["", "Open the page for people:", "", f"    {url}/ui/#token={token}"]
        lines += [
            "",
            "Push a page, and find it:",
            "",
            f"    curl {auth} {url}/knowledge \\",
            """      -d '{"source_url": "https://example.com/hours", """
            """"content": "We are open from 9 to 17."}'""",
            f'    curl {auth} "{url}/search?query=when+are+you+open"',
            "",
            "A whole folder:   rag-service ingest DOCS     Stop: Ctrl-C",
        ]
        self._err.print("\n".join(lines), soft_wrap=True, markup=False)

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """On a terminal only; the yielded function is told how many more are done."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
        )
        bar = Progress(*columns, console=self._err, disable=not sys.stderr.isatty())
        with bar:
            task = bar.add_task(what, total=total)
            yield lambda count: bar.advance(task, count)

    def ingested(self, report: IngestReport) -> None:
        if self.is_json:
            self.as_json(report)
        else:
            self._out.print(
                f"[bold]{report.documents}[/] documents in {report.seconds} s: "
                f"[green]{report.embedded} written[/], {report.unchanged} unchanged, "
                f"[{'red' if report.failed else 'default'}]{report.failed} failed[/]; "
                f"{report.chunks_embedded} chunks embedded, {report.chunks_reused} reused"
            )
        for failure in [] if self.is_json else report.failures:
            where = f"{failure.source_url}: " if failure.source_url else ""
            text = _plain(f"line {failure.line}: {where}{failure.error}")
            self._err.print(text, style="red", markup=False, soft_wrap=True)
        for lost in [] if self.is_json else report.left_out:
            documents = "document" if lost.documents == 1 else "documents"
            text = _plain(f"left out: {lost.count:,} {lost.what} in {lost.documents} {documents}")
            self._err.print(text, style="yellow", markup=False, soft_wrap=True)
        for warning, count in ({} if self.is_json else report.warnings).items():
            text = _plain(f"{count} {'document' if count == 1 else 'documents'}: {warning}")
            self._err.print(text, style="yellow", markup=False, soft_wrap=True)
        for line in [] if self.is_json else report.skipped_sentences:
            self._err.print(_plain(line), style="yellow", markup=False, soft_wrap=True)
        if report.interrupted:
            self._err.print("Interrupted. What was done is kept: the same command goes on.")

    def found(self, found: Findings, *, explain: bool = False) -> None:
        if self.is_json:
            self.as_json(search_answer(found, explain=explain))
            return
        verdict = "[green]answers[/]" if found.has_rag_context else "[yellow]no answer found[/]"
        self._out.print(f"{verdict}   confidence {found.confidence:.2f}\n")
        if found.searched_as is not None:
            self._out.print("searched as:", Text(_plain(found.searched_as)), "\n")
        if explain:
            self._explained(found)
        for hit in found.hits:
            passage = hit.passage
            self._out.print(
                f"[bold]{hit.score:.3f}[/] ",
                Text(_plain(passage.source_url), style="cyan"),
                "",
                Text(_plain(passage.heading or passage.title)),
            )
            self._out.print(Panel(Text(_plain(passage.text.strip())), border_style="dim"))

    def _explained(self, found: Findings) -> None:
        why = explanation(found)
        signs = [
            {"sign": name, "seen": _measured(value)}
            for name, value in msgspec.structs.asdict(why.signs).items()
            if value not in ([], None)
        ]
        weights = [{"what": name, "log-odds": f"{w:+.2f}"} for name, w in why.weights.items()]
        self.table("What was seen", signs)
        weights.append({"what": "all of it", "log-odds": f"{why.log_odds:+.2f}"})
        self.table("What it weighs", weights)
        if why.calibration:
            scale, shift = why.calibration.scale, why.calibration.shift
            self._out.print(f"calibrated: {scale:.2f} of it, {shift:+.2f}")
        self._out.print()

    def evaluated(self, report: Report) -> None:
        if self.is_json:
            self.as_json(report)
            return
        rows = [{"metric": name, "value": f"{value:.4f}"} for name, value in report.metrics.items()]
        self._out.print(f"{report.questions} questions, {report.answerable} with an answer")
        self.table("Search", rows)
        if report.reliability:
            bins = [
                {
                    "confidence from": f"{one.at_least:.1f}",
                    "questions": one.questions,
                    "mean confidence": f"{one.confidence:.2f}",
                    "have an answer": f"{one.answerable:.2f}",
                }
                for one in report.reliability
            ]
            self._out.print("Is the confidence what it says?")
            self.table("Confidence", bins)
        if report.comparison:
            self._compared(report.comparison)
        for warning in report.warnings:
            self._err.print(_plain(warning), style="yellow", markup=False, soft_wrap=True)

    def _compared(self, compared: Comparison) -> None:
        verdict = "more than noise" if compared.means_something else "within the noise"
        changes = [
            {
                "metric": one.metric,
                "before": f"{one.before:.4f}",
                "after": f"{one.after:.4f}",
                "difference": f"{one.difference:+.4f}",
            }
            for one in compared.changes
        ]
        self.table("Questions of both runs", changes)
        self._out.print(
            f"nDCG@10 moved by {compared.ndcg_difference:+.4f} on the {compared.shared} questions "
            f"of both runs: {verdict} (± {compared.noise:.4f})"
        )
        for title, moved in (("Better", compared.better), ("Worse", compared.worse)):
            rows = [
                {"nDCG": f"{one.before:.2f} to {one.after:.2f}", "question": _plain(one.query)}
                for one in moved
            ]
            if rows:
                self.table(title, rows)

    def calibrated(self, done: Calibrated) -> None:
        if self.is_json:
            self.as_json(done)
            return
        rows = [
            {"metric": name, "before": f"{before:.4f}", "now": f"{done.after[name]:.4f}"}
            for name, before in done.before.items()
        ]
        self._out.print(f"Fitted to {done.questions} questions, {done.answerable} with an answer")
        self.table("Confidence", rows)

    def questions(self) -> Iterator[str]:
        """What is typed, a line each, until the end of the input."""
        while True:
            try:
                line = input("> " if sys.stdin.isatty() else "")
            except EOFError:
                return
            if line.strip():
                yield line.encode(errors="replace").decode()

    def say(self, piece: str) -> None:
        """An answer as it comes; in a pipe it is printed when it is whole."""
        if not self.is_json:
            self._out.print(Text(_plain(piece)), end="", soft_wrap=True)

    def replied(self, reply: Reply) -> None:
        if self.is_json:
            self.as_json(reply)
            return
        self._out.print()
        for number, source in enumerate(reply.sources, start=1):
            url = (_plain(source.source_url), "cyan")
            line = Text.assemble((f"[{number}] ", "bold"), url, f"  {_plain(source.title)}")
            self._out.print(line, soft_wrap=True)

    def transcripts(self, items: Sequence[TranscriptItem]) -> None:
        if self.is_json:
            self.as_json(items)
            return
        rows = [
            {
                "time": one.timestamp[:16].replace("T", " "),
                "session": one.session_id,
                "role": one.role,
                "context": {True: "yes", False: "no", None: ""}[one.has_rag_context],
                "message": _plain(one.message),
            }
            for one in items
        ]
        self.table("Transcripts", rows)

    def contacts(self, contacts: Sequence[Contact]) -> None:
        if self.is_json:
            self.as_json(contacts)
            return
        rows = [
            {
                "id": one.contact_id,
                "email": one.email,
                "name": one.name,
                "phone": one.phone,
                "user": one.user_id,
                "conversations": one.conversations,
            }
            for one in contacts
        ]
        self.table("Contacts", rows)

    def imported(self, report: ImportReport) -> None:
        if self.is_json:
            self.as_json(report)
        else:
            self._out.print(
                f"{report.created} created, {report.updated} updated, "
                f"{report.unchanged} unchanged, {report.failed} failed"
            )
        for error in report.errors:
            text = _plain(f"line {error.line}: {error.reason}")
            self._err.print(text, style="red", markup=False, soft_wrap=True)

    def faults(self, faults: Sequence[str]) -> None:
        if self.is_json:
            self.as_json({"ok": not faults, "faults": list(faults)})
        elif not faults:
            self._out.print("[green]The rows and both views agree.[/]")
        else:
            for fault in faults:
                self._out.print(fault, style="red", markup=False)
            self._out.print("`rag-service reindex` makes the views again.")

    def findings(self, findings: Sequence[Finding]) -> None:
        if self.is_json:
            self.as_json(findings)
            return
        for finding in findings:
            mark = "[green]ok[/]   " if finding.ok else "[red]wrong[/]"
            self._out.print(f"{mark} [bold]{finding.what}[/]:", Text(_plain(finding.found)))

    def table(
        self, title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None
    ) -> None:
        """`columns` are those that people see; JSON has all of them."""
        if self.is_json:
            self.as_json(rows)
            return
        if not rows:
            self._out.print(f"{title}: none yet")
            return
        columns = columns or list(rows[0])
        table = Table(title=title)
        for name in columns:
            table.add_column(name, no_wrap=name == "id", overflow="fold")
        for row in rows:
            table.add_row(*(Text(_plain(_cell(row[name]))) for name in columns))
        self._out.print(table)

    def fields(self, about: Mapping[str, Any]) -> None:
        """One thing, a line for each of its fields that has a value."""
        if self.is_json:
            self.as_json(about)
            return
        width = max(map(len, about))
        for name, value in about.items():
            if value not in (None, "", []):
                line = Text.assemble((f"{name:{width}}  ", "bold"), _plain(_cell(value)))
                self._out.print(line, soft_wrap=True)

    def line(self, text: str) -> None:
        self._out.print(_plain(text), markup=False, soft_wrap=True)

    @staticmethod
    def as_json(value: object) -> None:
        click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f}/s" if task.speed else "")


def _measured(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else _cell(value)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}={of}" for name, of in value.items())
    return "" if value is None else str(value)


def _plain(text: str) -> str:
    """No control characters of a document reach the terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)
