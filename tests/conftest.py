import gzip
import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from shell import Shell, pushes

from rag_service.assembly import Service, assemble
from rag_service.settings import Settings

hypothesis_settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
hypothesis_settings.load_profile("default")


@pytest.fixture(scope="session")
def compiled(pytestconfig: pytest.Config) -> Path:
    """Where compiled models are kept from run to run, until what compiles them changes."""
    compiler = Path(find_spec("rag_service.models.embedders.compiling").origin)
    digest = hashlib.sha256(compiler.read_bytes()).hexdigest()[:8]
    return pytestconfig.cache.mkdir(f"compiled-{digest}")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A service of its own, with a model that needs no weights, and tells words apart."""
    return Settings(
        data_dir=tmp_path / "data",
        index_dir=tmp_path / "indexes",
        embedding_model="hashing:1024",
        port=0,
    )


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    with assemble(settings) as service:
        yield service


@pytest.fixture
def shell(tmp_path: Path, settings: Settings) -> Shell:
    return Shell(tmp_path, settings)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """Five pages, two pushes, and files that are not for us."""
    docs = tmp_path / "docs"
    (docs / "deep" / "deeper").mkdir(parents=True)
    (docs / ".hidden").mkdir()
    (docs / "hours.md").write_text("# Hours\n\nWe open at nine.\n")
    (docs / "plain.TXT").write_text("We ship to Canada.\n")
    (docs / "deep" / "page.html").write_text("<h1>Returns</h1><p>Within thirty days.</p>")
    (docs / "deep" / "deeper" / "ünï 2.htm").write_text("<p>Gift cards never expire.</p>")
    (docs / "deep" / "bom.txt").write_bytes(b"\xef\xbb\xbfWe sell shoes.")
    (docs / "pushes.jsonl").write_text(pushes("a"))
    (docs / "more.jsonl.gz").write_bytes(gzip.compress(pushes("b").encode()))
    (docs / ".hidden" / "secret.md").write_text("secret")
    (docs / ".secret.md").write_text("secret")
    (docs / "drawing.psd").write_bytes(b"8BPS")
    return docs
