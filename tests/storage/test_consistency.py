import random
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from threading import Lock, Thread

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from shelf import MODES, page, push, settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.documents import DEFAULT_BOT, Document
from rag_service.knowledge.filters import has_label
from rag_service.knowledge.store import Mode

NAMES = ["ash", "birch", "cedar", "fir", "oak"]

names = st.sampled_from(NAMES)
which = st.integers(0, 1)
modes = st.sampled_from(MODES)


def marker(name: str, version: int) -> str:
    return f"{name}{version}mark"


def text_of(name: str, version: int, parts: int) -> str:
    """Chunks that each name the version."""
    sentence = f"The tree {marker(name, version)} stands here. "
    return "\n\n".join(f"# Part {part}\n\n{sentence * 9}" for part in range(parts))


class TwoStoresOnOneFolder(RuleBasedStateMachine):
    """Whatever is done through either, both find what is there and nothing that was."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.settings = settings_in(self.folder, embedding_model="hashing:1024")
        self.open_: list[ExitStack] = [ExitStack(), ExitStack()]
        self.services: list[Service] = [
            stack.enter_context(assemble(self.settings)) for stack in self.open_
        ]
        self.model: dict[str, tuple[int, int]] = {}
        self.versions = 0

    def teardown(self) -> None:
        for stack in getattr(self, "open_", []):
            stack.close()
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    @rule(at=which, some=st.sets(names, min_size=1, max_size=3), parts=st.integers(1, 3))
    def write(self, at: int, some: set[str], parts: int) -> None:
        documents: list[Document] = []
        for name in sorted(some):
            self.versions += 1
            self.model[name] = (self.versions, parts)
            documents.append(page(name, text_of(name, self.versions, parts), title=name))
        push(self.services[at], *documents)

    @rule(at=which, name=names)
    def relabel(self, at: int, name: str) -> None:
        if name in self.model:
            content = text_of(name, *self.model[name])
            self.versions += 1
            label = f"label{self.versions}"
            push(self.services[at], page(name, content, title=name, content_type=label))

    @rule(at=which, some=st.sets(names, min_size=1))
    def remove(self, at: int, some: set[str]) -> None:
        removed = self.services[at].knowledge.remove(
            ALL_BOTS, DEFAULT_BOT, [f"https://example.com/{name}" for name in sorted(some)]
        )
        assert set(removed) == {f"https://example.com/{name}" for name in some & set(self.model)}
        for name in some:
            self.model.pop(name, None)

    @rule(at=which)
    def seal(self, at: int) -> None:
        self.services[at].store.views.seal(DEFAULT_BOT, share=0)

    @rule(at=which)
    def reopen(self, at: int) -> None:
        self.open_[at].close()
        self.open_[at] = ExitStack()
        self.services[at] = self.open_[at].enter_context(assemble(self.settings))

    @rule()
    def drop_the_views(self) -> None:
        shutil.rmtree(self.settings.index_dir, ignore_errors=True)

    @rule(at=which)
    def reindex(self, at: int) -> None:
        if DEFAULT_BOT in self.services[at].store.bots.all(ALL_BOTS):
            self.services[at].store.views.reindex(DEFAULT_BOT)

    @rule(at=which, mode=modes, name=names)
    def search_narrowed(self, at: int, mode: Mode, name: str) -> None:
        found = self.services[at].knowledge.search(
            ALL_BOTS, name, DEFAULT_BOT, mode=mode, k=100, only=has_label("manual")
        )
        assert all(self.is_current(hit.passage.text) for hit in found.hits)

    @rule(at=which)
    def compare(self, at: int) -> None:
        assert list(self.services[at].store.views.check()) == []

    @invariant()
    def both_find_what_is_there(self) -> None:
        for service in getattr(self, "services", []):
            for mode in MODES:
                for name, (version, parts) in self.model.items():
                    query = f"The tree {marker(name, version)} stands here."
                    hits = service.knowledge.search(
                        ALL_BOTS, query, DEFAULT_BOT, mode=mode, k=100
                    ).hits
                    assert all(self.is_current(hit.passage.text) for hit in hits)
                    if mode == "keyword":  # two markers may share a bucket of the hashing embedder
                        assert hits[0].passage.source_url.endswith(name)
                    of_page = [h for h in hits if h.passage.source_url.endswith(name)]
                    assert len(of_page) == parts

    def is_current(self, text: str) -> bool:
        return any(marker(name, version) in text for name, (version, _) in self.model.items())


TestTwoStoresOnOneFolder = TwoStoresOnOneFolder.TestCase
TestTwoStoresOnOneFolder.settings = hypothesis_settings(
    max_examples=25, stateful_step_count=14, deadline=None
)


class Acknowledged:
    """The version of each page that a writer was told is kept."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._versions = dict.fromkeys(NAMES, 0)
        self.problems: list[str] = []

    def now(self) -> dict[str, int]:
        with self._lock:
            return dict(self._versions)

    def keep(self, name: str, version: int) -> None:
        with self._lock:
            self._versions[name] = version


def test_a_search_beside_writers_never_mixes_or_goes_back(tmp_path: Path) -> None:
    """Each result shows one version of a page, at least the one acknowledged before it began."""
    settings = settings_in(tmp_path, embedding_model="hashing:1024")
    acknowledged = Acknowledged()
    with assemble(settings) as one, assemble(settings) as two:
        push(one, *(page(name, text_of(name, 0, 3), title=name) for name in NAMES))
        writers = [
            Thread(target=rewrite, args=(service, name, acknowledged))
            for service, name in zip((one, one, two, two, one), NAMES, strict=True)
        ]
        writing = [*writers, Thread(target=seal_often, args=(two, writers))]
        readers = [
            Thread(target=read, args=(service, mode, writers, acknowledged))
            for service in (one, two)
            for mode in MODES
        ]
        for thread in (*writing, *readers):
            thread.start()
        for thread in (*writing, *readers):
            thread.join()
        assert acknowledged.problems == []
        assert set(acknowledged.now().values()) == {25}
        assert list(one.store.views.check()) == list(two.store.views.check()) == []


def rewrite(service: Service, name: str, acknowledged: Acknowledged) -> None:
    for version in range(1, 26):
        push(service, page(name, text_of(name, version, 3), title=name))
        acknowledged.keep(name, version)


def seal_often(service: Service, writers: list[Thread]) -> None:
    while any(writer.is_alive() for writer in writers):
        service.store.views.seal(DEFAULT_BOT, share=0)


def read(service: Service, mode: Mode, writers: list[Thread], acknowledged: Acknowledged) -> None:
    rng = random.Random(mode)
    while any(writer.is_alive() for writer in writers):
        name = rng.choice(NAMES)
        before = acknowledged.now()
        hits = service.knowledge.search(
            ALL_BOTS, f"The tree {name}", DEFAULT_BOT, mode=mode, k=100
        ).hits
        seen: dict[str, list[int]] = {}
        for hit in hits:
            stamp = hit.passage.text.split("The tree ")[1].split(" ")[0]
            version = int(stamp.removeprefix(hit.passage.title).removesuffix("mark"))
            seen.setdefault(hit.passage.title, []).append(version)
        for title, versions in seen.items():
            if len(set(versions)) > 1 or len(versions) != 3:
                acknowledged.problems.append(f"{mode}: {title} in versions {versions}")
            if versions[0] < before[title]:
                acknowledged.problems.append(f"{mode}: {title} {versions} < {before[title]}")
        if set(seen) != set(NAMES):
            acknowledged.problems.append(f"{mode}: only {sorted(seen)}")
