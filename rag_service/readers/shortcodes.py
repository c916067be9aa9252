"""WordPress's shortcodes -> HTML: what they say stays, and they themselves go. Pure.

A page builder writes a question as `[toggle title="Do you ...?"]`, a tab or a button alike. What
such an attribute says becomes a paragraph of its own before what the shortcode is around.
"""

import html
import re
from collections.abc import Mapping

_NAME = r"[a-zA-Z][\w-]{0,60}"
_ATTRIBUTE = re.compile(
    r"([a-zA-Z][\w-]{0,40})\s*=\s*(?:\"([^\"]{0,5000})\"|'([^']{0,5000})'|([^\s\[\]\"'/]{1,500}))"
)
_TAG = re.compile(
    rf"\[(\[?)(/?)({_NAME})(?![\w-])((?:[^\[\]\"']++|\"[^\"]{{0,5000}}\"|'[^']{{0,5000}}'){{0,60}}+)\](\]?)"
)
_END = re.compile(rf"\[/({_NAME})\]")
_ENCODED = re.compile(r"&#(?:8220|8221|8222|8243|171|187);|[\u201c\u201d\u201e\u2033]")
"""Quotation marks as WordPress and its editors make them of plain ones."""
_KNOWN = re.compile(
    r"(?:caption|wp_caption|gallery|audio|video|playlist|embed|contact-form-7|vc_\w+|et_pb_\w+"
    r"|fusion_\w+|av_\w+|su_\w+|elementor-template|rev_slider|ninja_form|gravityform|wpforms)"
)
_SAYS = re.compile(
    r"(?:.*[_-])?(?:title|heading|headline|label|question|answer|text|content|caption|subtitle"
    r"|subheading|description|tagline|quote|author|price|message|name_text)"
)
"""Names of attributes that hold what a visitor reads."""
_SETS = re.compile(
    r"admin_.*|(?:.*[_-])(?:color|size|align|font|style|transform|weight|tag|level|width|height|class|id"
    r"|shadow|position|animation|spacing|orientation|module)(?:[_-].*)?"
)
"""Names of attributes that only say how."""
_LOOKS_SET = re.compile(
    r"#[0-9a-fA-F]{3,8}|[\d.]+(?:px|em|rem|%|vh)?|on|off|yes|no|true|false|none|default|\|*"
    r"|(?:left|right|center|centre|top|bottom|inherit|h[1-6]|normal|bold|light|dark)|https?://\S*"
)
_INLINE = frozenset(
    ("b", "i", "u", "em", "strong", "span", "highlight", "tooltip", "abbr", "dropcap")
)


def without_shortcodes(content: str, captions: Mapping[str, str]) -> str:
    """`captions` are those of the export's pictures by their ids, which a gallery names.

    `[sic]`, and what stands in double brackets to be shown, is no shortcode.
    """
    ended = {match[1].lower() for match in _END.finditer(content)}

    def put(match: re.Match[str]) -> str:
        opened, slash, name, rest, closed = match.groups()
        if opened and closed:
            return match[0][1:-1]
        attributes = _attributes(_ENCODED.sub('"', rest))
        if not (slash or attributes or name.lower() in ended or _KNOWN.fullmatch(name.lower())):
            return match[0]
        around = ("[" if opened else "", "]" if closed else "")
        return _said(name.lower(), attributes, captions, is_end=bool(slash)).join(around)

    return _TAG.sub(put, content)


def _attributes(text: str) -> dict[str, str]:
    return {
        match[1].lower(): html.unescape(match[2] or match[3] or match[4] or "")
        for match in _ATTRIBUTE.finditer(text)
    }


def _said(
    name: str, attributes: Mapping[str, str], captions: Mapping[str, str], *, is_end: bool
) -> str:
    if name in _INLINE:
        return ""
    told = [] if is_end else [value for key, value in attributes.items() if is_text(key, value)]
    if name == "gallery" and not is_end:
        ids = re.split(r"[\s,]+", attributes.get("ids", "") or attributes.get("include", ""))
        told += [captions[one] for one in ids if one in captions]
    return "\n\n" + "".join(f"<p>{html.escape(text)}</p>\n\n" for text in dict.fromkeys(told))


def is_text(name: str, value: str) -> bool:
    """Whether an attribute of this name, in lower case, holds what a visitor reads."""
    value = value.strip()
    return (
        _SAYS.fullmatch(name) is not None
        and _SETS.fullmatch(name) is None
        and _LOOKS_SET.fullmatch(value) is None
        and any(char.isalpha() for char in value)
    )
