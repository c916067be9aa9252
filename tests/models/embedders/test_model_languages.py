"""Does a model's folder tell what it was trained on, and does doctor tell what that means?"""

import shutil
from pathlib import Path

import pytest
from shelf import page, settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.cli.doctor import Finding, examine
from rag_service.models.embedders.model_folder import find_model
from rag_service.settings import Settings

ENGLISH = "The town library lends books for three weeks. A reader's card costs four euros a year."
GERMAN = "Die Bücherei verleiht Bücher für drei Wochen. Der Ausweis kostet im Jahr vier Euro."
THAI = "ห้องสมุดให้ยืมหนังสือได้สามสัปดาห์บัตรสมาชิกราคาสี่ยูโรต่อปี"


def tiny_with(folder: Path, tmp_path: Path, readme: str) -> Path:
    shutil.copytree(folder / "tiny", tmp_path / "tiny")
    (tmp_path / "tiny" / "README.md").write_text(readme)
    return tmp_path / "tiny"


@pytest.mark.parametrize(
    ("readme", "languages"),
    [
        ("---\nlanguage: en\nlicense: mit\n---\n# A model", {"en"}),
        ("---\nlicense: mit\nlanguage: [en, 'de', \"no\"]\n---\n", {"en", "de", "no"}),
        ("---\ntags:\n- aa\nlanguage:\n- en\n  - de\nlicense: mit\n---\n", {"en", "de"}),
        ("---\nlanguage:\n- multilingual\n- zh\n---\n", {"zh"}),
        ("---\nlanguage: multilingual\n---\n", set()),
        ("---\nlicense: mit\n---\nlanguage: en\n", set()),
        ("# A model\nlanguage: en\n", set()),
        ("", set()),
    ],
)
def test_the_front_matter_of_its_readme_tells_the_languages(folder, tmp_path, readme, languages):
    model = tiny_with(folder, tmp_path, readme)
    assert find_model(str(model), tmp_path / "cache").languages == languages


def test_doctor_tells_how_much_of_the_base_does_not_suit(folder, tmp_path, compiled):
    model = tiny_with(folder, tmp_path, "---\nlanguage: en\n---\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "models").symlink_to(compiled)
    settings = settings_in(tmp_path, embedding_model=f"openvino:{model}")
    assert told_of_languages(settings).found == "nothing to read yet"
    with assemble(settings) as service:
        service.knowledge.upsert(ALL_BOTS, [page("en", ENGLISH), page("de", GERMAN)])
    finding = told_of_languages(settings)
    assert finding.ok
    assert "1 of 2 documents" in finding.found
    assert "mostly German" in finding.found
    with assemble(settings) as service:
        service.knowledge.upsert(ALL_BOTS, [page("th", THAI)])
    finding = told_of_languages(settings)
    assert not finding.ok
    assert "2 of 3 documents" in finding.found


def told_of_languages(settings: Settings) -> Finding:
    (finding,) = (finding for finding in examine(settings) if finding.what == "languages")
    return finding
