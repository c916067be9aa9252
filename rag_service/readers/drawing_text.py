"""Text in DrawingML: shapes on slides, titles of charts, nodes of SmartArt."""

from typing import Any

from rag_service.readers.equations import office_equation
from rag_service.readers.opc import MC, A, M, visible_branch
from rag_service.readers.symbols import in_unicode, is_symbol_font

_PROPERTIES = frozenset((f"{A}pPr", f"{A}rPr", f"{A}endParaRPr"))


def paragraph_text(paragraph: Any) -> str:
    """Of `a:p`, with its equations and fields."""
    parts: list[str] = []
    _collect(paragraph, parts)
    return "".join(parts)


def text_in(element: Any) -> str:
    """All paragraphs in it, each on a line."""
    return "\n".join(paragraph_text(paragraph) for paragraph in element.iter(f"{A}p")).strip()


def _collect(parent: Any, parts: list[str]) -> None:
    for node in parent:
        if node.tag == f"{A}t":
            parts.append(_drawn(node.text or "", parent))
        elif node.tag == f"{A}br":
            parts.append("\n")
        elif node.tag in (f"{M}oMath", f"{M}oMathPara"):
            parts.append(office_equation(node))
        elif node.tag == f"{MC}AlternateContent":
            branch = visible_branch(node)
            if branch is not None:
                _collect(branch, parts)
        elif node.tag not in _PROPERTIES:
            _collect(node, parts)


def _drawn(text: str, run: Any) -> str:
    for name in ("sym", "latin"):
        font = run.find(f"{A}rPr/{A}{name}")
        face = font.get("typeface", "") if font is not None else ""
        if is_symbol_font(face):
            return in_unicode(text, face) or text
    return text.replace("\v", "\n")
