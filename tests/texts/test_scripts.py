"""Are words found however they are written, and in scripts without spaces?"""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import names, page, push, settings_in

from rag_service.assembly import assemble
from rag_service.storage.views.terms import terms_asked, terms_of
from rag_service.texts.scripts import all_pieces, pieces
from rag_service.texts.stems import stems

PAGES = {
    "library": "ห้องสมุดเปิดทุกวันยกเว้นวันจันทร์บัตรสมาชิกราคาสี่ยูโรต่อปี",
    "coffee": "ร้านกาแฟขายเครื่องดื่มร้อนและเย็นหยุดวันอาทิตย์",
    "pool": "สระว่ายน้ำเปิดหกโมงเช้าถึงสองทุ่มเด็กต้องมีผู้ใหญ่มาด้วย",
    "lao": "ຫ້ອງສະໝຸດເປີດທຸກມື້ຍົກເວັ້ນວັນຈັນ",
    "khmer": "បណ្ណាល័យបើករាល់ថ្ងៃលើកលែងតែថ្ងៃចន្ទ",
    "burmese": "စာကြည့်တိုက်ကိုတနင်္လာနေ့မှလွဲ၍နေ့တိုင်းဖွင့်သည်",
    "water": "飲み水は一階の入口にあります。",
    "bridge": "この橋は百年前に建てられました。",
    "korean": "북한산 등산로는 아침 여섯 시에 열립니다.",
    "hindi": "पुस्तकालय सोमवार को बंद रहता है।",
    "arabic": "المكتبة مفتوحة كل يوم ما عدا يوم الاثنين.",
    "hebrew": "הַסִּפְרִיָּה סגורה ביום שני.",
    "russian": "Библиотека закрыта по понедельникам, ёлка стоит в зале.",
    "greek": "Η βιβλιοθήκη είναι κλειστή τη Δευτέρα.",  # noqa: RUF001
    "french": "Le cafe\u0301 est fermé à la Noël.",
    "width": "The \uff37\uff29\uff26\uff29 code is on the ｶｰﾄﾞ.",
}
FOUND_BY = [
    ("วันอาทิตย์", "coffee"),
    ("กาแฟ", "coffee"),
    ("น้ำ", "pool"),
    ("สมาชิก", "library"),
    ("ຫ້ອງສະໝຸດ", "lao"),
    ("បណ្ណាល័យ", "khmer"),
    ("စာကြည့်တိုက်", "burmese"),
    ("水", "water"),
    ("橋", "bridge"),
    ("등산", "korean"),
    ("पुस्तकालय", "hindi"),
    ("مكتبة", "arabic"),
    ("الإثنين", "arabic"),
    ("הספריה", "hebrew"),
    ("библиотеки", "russian"),
    ("елка", "russian"),
    ("ΒΙΒΛΙΟΘΗΚΗ", "greek"),
    ("café", "french"),
    ("noel", "french"),
    ("wifi", "width"),
    ("カード", "width"),
]
text = st.text(
    st.sampled_from("สวัสดีน้ำที่ខ្មែរမြန်မာ水か\u3099ｶﾞガ한글ée\u0301ßİपुस्तकالمكتبةשָׁ aB1_-.\u200b\u200d")
)


@pytest.mark.parametrize(("asked", "name"), FOUND_BY)
def test_a_word_finds_its_page_however_it_is_written(shelf_of_scripts, asked, name):
    assert names(shelf_of_scripts, asked, "keyword", k=1) == [name]


@pytest.fixture(scope="module")
def shelf_of_scripts(tmp_path_factory):
    with assemble(settings_in(tmp_path_factory.mktemp("scripts"))) as service:
        push(service, *(page(name, text) for name, text in PAGES.items()))
        yield service


def test_a_question_about_something_else_shares_little_with_a_page():
    asked = set(terms_asked("สนามบินอยู่ที่ไหน"))
    for name in ("library", "coffee", "pool"):
        assert len(asked & set(terms_of(PAGES[name]))) <= len(asked) / 5


def test_marks_are_never_torn_from_their_letters():
    for term in terms_of(" ".join(PAGES.values())):
        assert not unicodedata.combining(term[0]), term
        assert term[0] not in "ัิีึืุูุ่้๊๋์"
    assert terms_of("पुस्तकालय हिन्दी") == ["पुस्तकालय", "हिन्दी"]
    assert stems("हिन्दी") == ["हिन्द"]
    assert terms_of("மொழி") == terms_of("மொழி")


def test_different_words_of_one_script_are_different_terms():
    for one, other in (
        ("น้ำ", "นา"),
        ("ขาว", "ข่าว"),
        ("ไฟ", "ไผ่"),
        ("दिन", "दीन"),
        ("かき", "がき"),
    ):
        assert set(terms_asked(one)) != set(terms_asked(other))


@given(text)
def test_composed_and_decomposed_texts_have_the_same_terms(text):
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert terms_of(unicodedata.normalize(form, text)) == terms_of(text)
        assert stems(unicodedata.normalize(form, text)) == stems(text)


@pytest.mark.parametrize("characters", [list("日本の水橋階建町"), ["ก", "น้", "า", "ที่", "เ", "ตย์"]])
@given(data=st.data())
def test_any_part_of_a_run_is_looked_up_by_pieces_that_the_run_has(characters, data):
    run = data.draw(st.lists(st.sampled_from(characters), min_size=1, max_size=12))
    start = data.draw(st.integers(0, len(run) - 1))
    end = data.draw(st.integers(start + 1, len(run)))
    assert set(pieces("".join(run[start:end]))) <= set(all_pieces("".join(run)))


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_what_a_text_is_asked_for_with_its_own_words_it_has(text):
    assert set(terms_asked(text)) <= set(terms_of(text))
    assert all(term.strip() == term != "" for term in terms_of(text))
