from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from shell import Shell

from rag_service.assembly import Service, assemble
from rag_service.settings import Settings

hypothesis_settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
hypothesis_settings.load_profile("default")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A service of its own, with a model that needs no weights."""
    return Settings(
        data_dir=tmp_path / "data",
        index_dir=tmp_path / "indexes",
        embedding_model="hashing:64",
        port=0,
    )


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    with assemble(settings) as service:
        yield service


@pytest.fixture
def shell(tmp_path: Path, settings: Settings) -> Shell:
    return Shell(tmp_path, settings)
