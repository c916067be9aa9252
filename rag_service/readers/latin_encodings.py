"""Which single-byte encoding of Latin letters a text is in, told by the letters that it then has.

The encodings differ in a few letters, which are those of different languages: the byte that is an
"e" with a grave accent in French is a "c" with a caron in Czech. A text is in an encoding in which
all its letters are those of one language, and its signs do not stand within words.
"""

import re

_WESTERN = (
    "",  # only quotation marks, dashes and the like
    "äöüßéèêàçñøåæëïõšž",  # German and its neighbours, Nordic, Estonian
    "éèêëàâçîïôöûùüœæÿ",  # French
    "áéíóúñüçàèòï\u00aa\u00ba",  # Spanish, Catalan
    "ãõáéíóúâêôàçü\u00aa\u00ba",  # Portuguese
    "àèéìíîòóùú",  # Italian
    "áðéíóúýþæöü",  # Icelandic
    "äöüßáéíóúñçëèàåøæô",  # names of people of several of them
)
_CENTRAL = (
    "ąćęłńóśźżäöü",  # Polish
    "áčďéěíňóřšťúůýžĺľŕôäöü",  # Czech, Slovak
    "áéíóöőúüű",  # Hungarian
    "ăâîşţöü",  # Romanian
    "čćđšžäöü",  # Croatian, Slovenian
)
_TURKISH = ("çğ\u0131iöşüâîû",)
_BALTIC = ("ąčęėįšųūž", "āčēģīķļņšūž")
_READINGS = (
    ("cp1252", _WESTERN),
    ("cp1250", _CENTRAL),
    ("cp1254", _TURKISH),
    ("cp1257", _BALTIC),
    ("iso8859-2", _CENTRAL),
)
"""In the order in which they are likely, Turkish before those that share its bytes by chance."""
_SIGN = "\u00a1-\u00a9\u00ac\u00ae-\u00b3\u00b5-\u00b7\u00b9\u00bc-\u00bf\u00d7\u00f7"
_WITHIN = re.compile(rf"[^\W\d_][{_SIGN}]|(?![\u00a1\u00bf])[{_SIGN}][^\W\d_]")
_SAMPLE = 65_536


def latin_encoding(data: bytes) -> str | None:
    """None where the text is in none of them as a whole."""
    sample = data[:_SAMPLE]
    for encoding, languages in _READINGS:
        try:
            text = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        letters = {char.lower() for char in text if char > "\x7f" and char.isalpha()}
        letters = {char[0] for char in letters}  # a capital I with a dot has two in lower case
        if any(letters <= set(language) for language in languages) and not _WITHIN.search(text):
            return encoding
    return None
