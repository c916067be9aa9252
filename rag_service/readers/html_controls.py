"""What the controls of a form show: the text of their choices, their values and their hints."""

from collections.abc import Iterator

from selectolax.lexbor import LexborNode

from rag_service.readers.outline import Outline, one_line

CONTROLS = frozenset(("select", "datalist", "input", "textarea"))
_MOST_CHOICES = 60
"""A longer list is one of countries or of years, which nobody looks up here."""
_WITHOUT_TEXT = frozenset(("hidden", "password", "image", "file", "color", "range"))


def control_text(tag: str, node: LexborNode, outline: Outline) -> str:
    """Tells the choices of a list that is too long to be read."""
    attributes = node.attributes
    match tag:
        case "select" | "datalist":
            return _choices(node, outline)
        case "textarea":
            return node.text().strip() or (attributes.get("placeholder") or "")
    kind = (attributes.get("type") or "text").lower()
    if kind in ("checkbox", "radio"):
        return "\u2612" if "checked" in attributes else "\u2610"
    if kind in _WITHOUT_TEXT:
        return ""
    return attributes.get("value") or attributes.get("placeholder") or ""


def _choices(node: LexborNode, outline: Outline) -> str:
    choices = [
        one_line(
            choice.text() or choice.attributes.get("label") or choice.attributes.get("value") or ""
        )
        for choice in _options(node)
    ]
    if len(choices) > _MOST_CHOICES:
        outline.leave_out("choice of a menu", "choices of menus", count=len(choices))
        return ""
    return ", ".join(filter(None, choices))


def _options(node: LexborNode) -> Iterator[LexborNode]:
    """Also those in groups. Selectors take the square of what they find."""
    for child in node.iter():
        if child.tag == "option":
            yield child
        elif child.tag == "optgroup":
            yield from _options(child)
