"""Whether a text is in a language that the embedding model was trained on. Pure, but for the
detector, which is read at the first text that needs it and then takes 60 MB.

Only prose is judged: lines of several words, most of them in lower case where the script has cases.
A table, a list of names or a program is in no language, and nothing is said of it.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

from rag_service.knowledge.embedder import Embedder

MULTILINGUAL = "multilingual-e5-small"
_MULTILINGUAL = """af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga
gd gl gu ha he hi hr hu hy id is it ja jv ka kk km kn ko ku ky la lo lt lv mg mk ml mn mr ms my
ne nl no om or pa pl ps pt ro ru sa sd si sk sl so sq sr su sv sw ta te th tl tr ug uk ur uz vi
xh yi zh"""
MULTILINGUAL_LANGUAGES = frozenset(_MULTILINGUAL.split())
"""What that model's authors say it was trained on."""

SAMPLE = 1200
"""Characters of a text that are read: from its beginning, its middle and its end."""
_PARTS = 4
_LEAST_LATIN = 60
_LEAST_OTHER = 20
"""Fewer letters say little; one of a script that writes syllables or words counts as three."""
_LEAST_WORDS = 4
_PROSE = 0.8
"""Letters among the characters of a line of prose, white space left out."""
_LOWER_CASE = 0.35
"""Words of a line of prose that begin with a small letter."""
_SURE = 0.9
"""The detector's own estimate, which keeps to the share of texts that it gets right. In a script
that a model's languages do not share, it need not tell neighbours apart."""
_DETECTED = 500
"""Characters that the detector reads, a millisecond for about as many again."""
_KNOWN = 0.5
_COMMON = """the and of to that with this are from you your which have been their were not or it its
has when they we our can as"""
_ENGLISH = frozenset(_COMMON.split())
_ENGLISH_SHARE = 0.12
"""English has a fifth to a third of such words, another language hardly any."""

_TABLE = """af=Afrikaans am=Amharic ar=Arabic as=Assamese az=Azerbaijani ba=Bashkir
be=Belarusian bg=Bulgarian bn=Bengali br=Breton bs=Bosnian ca=Catalan cs=Czech cy=Welsh
da=Danish de=German dz=Dzongkha el=Greek en=English eo=Esperanto es=Spanish et=Estonian
eu=Basque fa=Persian fi=Finnish fo=Faroese fr=French fy=Frisian ga=Irish gd=Gaelic
gl=Galician gu=Gujarati ha=Hausa he=Hebrew hi=Hindi hr=Croatian hu=Hungarian hy=Armenian
id=Indonesian ig=Igbo is=Icelandic it=Italian ja=Japanese jv=Javanese ka=Georgian kk=Kazakh
km=Khmer kn=Kannada ko=Korean ku=Kurdish ky=Kyrgyz la=Latin lb=Luxembourgish lo=Lao
lt=Lithuanian lv=Latvian mg=Malagasy mk=Macedonian ml=Malayalam mn=Mongolian mr=Marathi
ms=Malay mt=Maltese my=Burmese ne=Nepali nl=Dutch no=Norwegian om=Oromo or=Odia pa=Punjabi
pl=Polish ps=Pashto pt=Portuguese ro=Romanian ru=Russian rw=Kinyarwanda sa=Sanskrit
si=Sinhala sk=Slovak sl=Slovenian sn=Shona so=Somali sq=Albanian sr=Serbian st=Sotho
sv=Swedish sw=Swahili ta=Tamil te=Telugu tg=Tajik th=Thai tk=Turkmen tl=Filipino tr=Turkish
tt=Tatar ug=Uyghur uk=Ukrainian ur=Urdu uz=Uzbek vi=Vietnamese xh=Xhosa yo=Yoruba
zh=Chinese zu=Zulu"""
_NAMES = dict(entry.split("=") for entry in _TABLE.split())
_NO_LANGUAGE = "zxx"
"""What the detector calls programs, numbers and the like."""

_DENSE = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Scripts whose characters say as much as three letters, most of them without spaces."""
_LATIN = re.compile("[\0-\u024f\u1e00-\u1eff]")


_OTHER_SCRIPTS = frozenset(
    """am ar as ba be bg bn dz el fa gu he hi hy ja ka kk km kn ko ky lo mk ml mn mr my ne or pa ps
    ru sa si sr ta te tg th tt ug uk ur zh""".split()  # noqa: SIM905
)
"""Languages that are not written in Latin letters."""


def readable_share(text: str, embedder: Embedder) -> float:
    """How much of a text's letters the model's vocabulary has, in scripts that it was trained on.

    A vocabulary may have letters of a script, and the model no idea of it. A single letter or digit
    means nothing to a model, and anything.
    """
    if sum(map(str.isalnum, text)) <= 1:
        return 0.0
    known = embedder.known_share(text)
    if text.isascii() or not embedder.languages or embedder.languages & _OTHER_SCRIPTS:
        return known
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum(_LATIN.match(letter) is not None for letter in letters)
    return min(known, latin / len(letters)) if letters else known


def language_warnings(text: str, embedder: Embedder) -> list[str]:
    """Sentences on what of the text the model reads badly, and what to do; mostly none.

    Nothing is said of a model that does not tell its languages, but for characters that it does
    not know.
    """
    sample = _sample(text)
    model = embedder.name.partition("@")[0]
    latin = _is_latin(sample)
    language = _language(sample, embedder.languages, latin) if embedder.languages else None
    if language in embedder.languages:
        return []
    if language is not None:
        partly = latin and "en" in embedder.languages
        reads = "reads only in part" if partly else "reads badly"
        return [
            f"the text is mostly {_NAMES[language]}, which the embedding model {model} {reads}"
            f"{_advice(model, language)}"
        ]
    if _weight(sample) >= _LEAST_OTHER and embedder.known_share(sample) < _KNOWN:
        return [
            f"the text is mostly in characters that the embedding model {model} does not know"
            f"{_advice(model, language)}"
        ]
    return []


def _advice(model: str, language: str | None) -> str:
    reads = language is None or language in MULTILINGUAL_LANGUAGES
    if model == MULTILINGUAL or not reads:
        return ""
    return f": set RAG_EMBEDDING_MODEL={MULTILINGUAL} for a new base"


# -- what is judged -------------------------------------------------------------------------------


def _sample(text: str) -> str:
    if len(text) <= SAMPLE:
        return text
    part = SAMPLE // _PARTS
    step = (len(text) - part) / (_PARTS - 1)
    return "\n".join(text[int(n * step) : int(n * step) + part] for n in range(_PARTS))


def _language(sample: str, readable: frozenset[str], latin: bool) -> str | None:
    """The language that the sample is mostly in; None where it is in none for sure.

    It need not be sure which one it is, where it is sure that it is none of the `readable` ones.
    """
    prose = " ".join(_prose(sample))
    weight = _weight(prose)
    if weight < (_LEAST_LATIN if latin else _LEAST_OTHER) or weight < _weight(sample) / 2:
        return None
    if latin and _is_english(prose):
        return "en"
    ranks = _detector().rank(prose[:_DETECTED])
    best, sure = ranks[0]
    if not latin:
        sure = max(sure, 1 - sum(share for code, share in ranks if code in readable))
    return best if sure >= _SURE and best in _NAMES else None


def _is_english(prose: str) -> bool:
    """Told by its commonest words, which spares most pages the detector."""
    words = prose.casefold().split()
    return sum(word in _ENGLISH for word in words) >= _ENGLISH_SHARE * len(words)


def _weight(text: str) -> int:
    """Letters, of which those that say more count as more."""
    dense = 0 if text.isascii() else len(_DENSE.findall(text))
    return sum(map(str.isalpha, text)) + 2 * dense


def _prose(sample: str) -> Iterator[str]:
    """The lines that read as sentences."""
    for line in sample.splitlines():
        words = line.split()
        if len(words) < _LEAST_WORDS and (line.isascii() or not _DENSE.search(line)):
            continue
        if _letters(line) < _PROSE * sum(map(len, words)):
            continue
        initials = [word[0] for word in words]
        small, large = sum(map(str.islower, initials)), sum(map(str.isupper, initials))
        if small >= _LOWER_CASE * (small + large):
            yield line


def _letters(line: str) -> int:
    """With the marks on them, as Thai and Hindi write their vowels."""
    marks = 0 if line.isascii() else sum(unicodedata.category(char)[0] == "M" for char in line)
    return sum(map(str.isalpha, line)) + marks


def _is_latin(sample: str) -> bool:
    if sample.isascii():
        return True
    letters = [char for char in sample if char.isalpha()]
    return 2 * sum(bool(_LATIN.match(char)) for char in letters) > len(letters)


@cache
def _detector() -> Any:
    from py3langid.langid import (  # noqa: PLC0415  a start, and most imports, need none
        MODEL_FILE,
        LanguageIdentifier,
    )

    detector = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    detector.set_languages([*_NAMES.keys() & set(detector.labels), _NO_LANGUAGE])
    return detector
