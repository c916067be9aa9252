"""Is the owner of a page told when the model cannot read it, and left in peace otherwise?"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from shelf import CountingEmbedder, knowledge_with, page, settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.cli.ingest import Ingest
from rag_service.knowledge.imports import Importer
from rag_service.knowledge.languages import language_warnings
from rag_service.models.embedders.hashing import HashingEmbedder


class Trained(CountingEmbedder):
    """On these languages, in a vocabulary that lacks what `strange` has."""

    def __init__(self, languages: Sequence[str], strange: str = "") -> None:
        super().__init__(HashingEmbedder("64"))
        self.name = "some-model@12345678"
        self.languages = frozenset(languages)
        self._strange = strange

    def known_share(self, text: str) -> float:
        letters = [char for char in text if char.isalpha()]
        return 1 - sum(char in self._strange for char in letters) / max(1, len(letters))


ENGLISH = Trained(["en"])
SENTENCES = {
    "German": "Die Bücherei verleiht Bücher für drei Wochen. Der Ausweis kostet im Jahr vier Euro.",
    "French": "La bibliothèque prête des livres trois semaines. La carte coûte quatre euros.",
    "Spanish": "La biblioteca presta libros durante tres semanas y el carné cuesta cuatro euros.",
    "Dutch": "De bibliotheek leent boeken uit voor drie weken. Een pas kost vier euro per jaar.",
    "Polish": "Biblioteka wypożycza książki na trzy tygodnie. Karta kosztuje cztery euro rocznie.",
    "Turkish": "Kütüphane üç hafta için kitap ödünç verir. Kart yılda dört avroya mal olur.",  # noqa: RUF001
    "Vietnamese": "Thư viện thành phố cho mượn sách trong ba tuần. "
    "Mỗi năm thẻ bạn đọc có giá bốn euro.",
    "Russian": "Городская библиотека выдаёт книги на три недели, билет стоит четыре евро в год.",
    "Greek": "Η δημοτική βιβλιοθήκη δανείζει βιβλία για τρεις εβδομάδες.",  # noqa: RUF001
    "Arabic": "تعير مكتبة المدينة الكتب لمدة ثلاثة أسابيع وتكلف البطاقة أربعة يورو في السنة.",
    "Hebrew": "הספרייה העירונית משאילה ספרים לשלושה שבועות, והכרטיס עולה ארבעה אירו לשנה.",
    "Hindi": "शहर का पुस्तकालय तीन सप्ताह के लिए किताबें उधार देता है।",
    "Thai": "ห้องสมุดให้ยืมหนังสือได้สามสัปดาห์บัตรสมาชิกราคาสี่ยูโรต่อปี",
    "Chinese": "市图书馆的书可以借三个星期。借书证每年四欧元。",
    "Japanese": "市立図書館では本を三週間借りることができます。カードは年に四ユーロです。",
    "Korean": "시립 도서관은 삼 주 동안 책을 빌려줍니다. 카드는 일 년에 사 유로입니다.",
}
IN_NO_LANGUAGE = {
    "nothing": "",
    "a word": "Öffnungszeiten",
    "numbers": "12 45 1023 3.5 9,99 2024-01-05 18:00 0043 662 8044\n" * 30,
    "names": "Hans Müller\nAnna Schmidt\nJürgen Großmann\nKäthe Schröder\nMaría García López\n"
    * 20,
    "a table": "Schraube M8 | 12 | 4,50 €\nMutter M8 | 40 | 0,20 €\nScheibe | 100 | 0,05 €\n" * 20,
    "addresses": "Hauptstraße 12, 5020 Salzburg\nRue de Rivoli 10, 75001 Paris\n" * 20,
    "a program": "for (int i = 0; i < n; ++i) { a[i] += b[i]; }\nreturn x ? y : z;\n" * 20,
    "a program with a remark": "# Zählt alle Zeilen der Datei und gibt die Summe zurück\n"
    + "def count(path):\n    return sum(1 for line in open(path) if line)\n" * 20,
    "a style sheet": "body { margin: 0; padding: 4px }\n.card { display: flex; color: red }\n" * 20,
    "data": '{"name": "Wasserkocher", "watt": 2200, "farbe": "schwarz"}\n' * 20,
    "a log": "2024-05-01T12:00:00Z INFO http GET /knowledge 200 12ms\n" * 20,
}
PLAIN = [
    "The town library lends books for three weeks. A reader's card costs four euros a year.",
    "Click the blue button, choose Settings, then Streaming; press Save and restart.",
    "blue cotton shirt size medium\nred cotton shirt size large\ngreen wool hat one size\n" * 5,
    "Terms And Conditions Of Sale\nGeneral Provisions\nDelivery And Payment\n" * 5,
    "Acute myocardial infarction; pulmonary embolism; atrial fibrillation; hypertension.",
]


@pytest.mark.parametrize("language", SENTENCES)
def test_a_language_that_the_model_was_not_trained_on_is_told(language):
    (warning,) = language_warnings(SENTENCES[language], ENGLISH)
    assert f"the text is mostly {language}, which the embedding model some-model reads" in warning
    assert "RAG_EMBEDDING_MODEL=multilingual-e5-small" in warning


@pytest.mark.parametrize("language", SENTENCES)
def test_what_the_model_was_trained_on_is_not_warned_of(language):
    codes = "de fr es nl pl tr vi ru el ar he hi th zh ja ko"
    assert language_warnings(SENTENCES[language], Trained(codes.split())) == []


@pytest.mark.parametrize("kind", IN_NO_LANGUAGE)
def test_what_is_in_no_language_is_not_warned_of(kind):
    assert language_warnings(IN_NO_LANGUAGE[kind], ENGLISH) == []


@pytest.mark.parametrize("text", PLAIN)
def test_english_is_not_warned_of(text):
    assert language_warnings(text, ENGLISH) == []


def test_a_quotation_in_another_language_makes_no_page_of_it():
    page = PLAIN[0] + "\n" + PLAIN[1] + "\n" + SENTENCES["German"]
    assert language_warnings(page * 4, ENGLISH) == []
    assert language_warnings(PLAIN[0] + (SENTENCES["Thai"] + "\n") * 20, ENGLISH) != []


def test_of_a_model_that_tells_no_languages_only_unknown_characters_are_told():
    assert language_warnings(SENTENCES["Thai"], Trained([])) == []
    (warning,) = language_warnings(SENTENCES["Thai"], Trained([], strange=SENTENCES["Thai"]))
    assert "characters that the embedding model some-model does not know" in warning
    assert language_warnings(SENTENCES["German"], Trained([], strange=SENTENCES["Thai"])) == []


def test_a_long_text_is_read_in_part():
    embedder = Trained([], strange="ก")
    seen = []
    embedder.known_share = lambda text: seen.append(len(text)) or 1.0
    language_warnings("word " * 1_000_000, embedder)
    assert max(seen) < 5000


@hypothesis_settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=()), max_size=400))
def test_any_text_is_judged(text):
    assert all(isinstance(sentence, str) for sentence in language_warnings(text, ENGLISH))


# -- through the use cases ------------------------------------------------------------------------


@pytest.fixture
def knowledge(tmp_path: Path):
    with assemble(settings_in(tmp_path)) as service:
        yield knowledge_with(service, ENGLISH)


def test_a_push_tells_it_once(knowledge):
    thai = page("thai", SENTENCES["Thai"])
    english = page("english", PLAIN[0])
    assert [len(pushed.warnings) for pushed in knowledge.upsert(ALL_BOTS, [thai, english])] == [
        1,
        0,
    ]
    assert [pushed.warnings for pushed in knowledge.upsert(ALL_BOTS, [thai, english])] == [[], []]
    assert len(knowledge.preview(ALL_BOTS, page("german", SENTENCES["German"])).warnings) == 1


def test_an_import_sums_them_up(tmp_path):
    for name, text in {"a": SENTENCES["Thai"], "b": SENTENCES["Thai"] + "!", "c": PLAIN[0]}.items():
        (tmp_path / f"{name}.txt").write_text(text)
    with assemble(settings_in(tmp_path)) as service:
        knowledge = knowledge_with(service, ENGLISH)
        importer = Importer(knowledge, service.store.views)
        files = [tmp_path / f"{name}.txt" for name in "abc"]
        ingest = Ingest(replace(service, importer=importer), files, None, None)
        report = ingest.run(lambda what, total: nullcontext(lambda count: None))
    ((sentence, count),) = report.warnings.items()
    assert "mostly Thai" in sentence
    assert count == 2
