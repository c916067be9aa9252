"""Characters of fonts that draw symbols in the places of letters, as Unicode.

Symbol follows Adobe's table for its Symbol font; of Wingdings there is what stands in texts: ticks,
boxes, arrows, bullets and hands.
"""

# ruff: noqa: RUF001 - the fonts do draw characters that look like others

_SYMBOL = dict(
    enumerate(
        "!∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼",
        0x21,
    )
) | dict(
    enumerate(
        "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊⟨®©™∑",
        0xA0,
    )
)
_SYMBOL |= {0xF1: "⟩", 0xF2: "∫"}

_WINGDINGS = {
    0x21: "✏", 0x22: "✂", 0x28: "☎", 0x29: "✆", 0x2A: "✉", 0x36: "⌛", 0x3A: "💻", 0x43: "👍",
    0x44: "👎", 0x45: "☜", 0x46: "☞", 0x47: "☝", 0x48: "☟", 0x4A: "☺", 0x4B: "😐", 0x4C: "☹",
    0x52: "☼", 0x54: "❄", 0x6C: "●", 0x6D: "❍", 0x6E: "■", 0x6F: "☐", 0x70: "☐", 0x71: "❑",
    0x72: "❒", 0x73: "⬧", 0x74: "⧫", 0x75: "◆", 0x76: "❖", 0x77: "⬥", 0x78: "☒", 0x80: "⓪",
    0x9F: "•", 0xA1: "○", 0xA4: "◉", 0xA7: "▪", 0xA8: "☐", 0xAA: "✦", 0xAB: "★", 0xB7: "🕐",
    0xD5: "⌫", 0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE8: "➔", 0xEF: "⇦",
    0xF0: "⇨", 0xF1: "⇧", 0xF2: "⇩", 0xF3: "⬄", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
}  # fmt: skip
_WINGDINGS |= {0x81 + number: chr(0x2460 + number) for number in range(10)}
_WINGDINGS_2 = {
    0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0x55: "⊗", 0x97: "●",
    0xA2: "■", 0xA3: "☐",
}  # fmt: skip
_FONTS = {"symbol": _SYMBOL, "wingdings": _WINGDINGS, "wingdings 2": _WINGDINGS_2}
_PRIVATE = 0xF000
"""Where Office puts the 256 characters of such a font."""


def is_symbol_font(font: str) -> bool:
    return font.lower() in _FONTS


def in_unicode(text: str, font: str) -> str | None:
    """What the font draws for the text; None when one of its characters is not known."""
    table = _FONTS.get(font.lower(), {})
    shown = []
    for character in text:
        code = ord(character)
        is_private = _PRIVATE <= code <= _PRIVATE + 0xFF
        drawn = table.get(code - _PRIVATE if is_private else code)
        if drawn is None and is_private and code - _PRIVATE != 0x20:
            return None
        shown.append(drawn or (" " if is_private else character))
    return "".join(shown)
