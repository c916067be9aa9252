"""Equations (Office's OMML and MathML) -> one line of text, such as `x=(-b±√(b^2-4ac))/(2a)`.

Brackets are put where the line would read as another equation without them.
"""

import re
from collections.abc import Callable
from typing import Any

from rag_service.readers.opc import M, W

_SIMPLE = re.compile(r"[\w.,\u2032\u2033°%∞]*|[^\s\w]|\([^()]*\)|\[[^\[\]]*\]")
_VAL = f"{M}val"
_MATH_ML = {
    "mfrac": "{}/{}",
    "msup": "{}^{}",
    "mover": "{}^{}",
    "msub": "{}_{}",
    "munder": "{}_{}",
    "msubsup": "{}_{}^{}",
    "munderover": "{}_{}^{}",
    "mroot": "root({}, {})",
}
_AROUND = {"msqrt": "√({})", "mtable": "[{}]"}
_DELETED = frozenset((f"{W}del", f"{W}moveFrom"))


def office_equation(element: Any) -> str:
    """Of `m:oMath`, `m:oMathPara` or a part of one. Recursive: as deep as the tree is."""
    if element.tag in (f"{M}t", f"{W}t"):
        return element.text or ""
    if element.tag in _DELETED:
        return ""
    if element.tag == f"{M}oMathPara":
        return "\n".join(office_equation(line) for line in element.iterchildren(f"{M}oMath"))
    write = _OFFICE.get(element.tag)
    return write(element) if write is not None else _all(element)


def math_ml(element: Any) -> str:
    """Of `math:math` or a part of it, in whatever namespace."""
    name = element.tag.rpartition("}")[2]
    if name in ("annotation", "annotation-xml"):
        return ""
    if name in ("mi", "mn", "mo", "mtext", "ms"):
        return "".join(element.itertext()).strip()
    parts = [math_ml(child) for child in element if isinstance(child.tag, str)]
    pattern = _MATH_ML.get(name)
    if pattern is not None and len(parts) == pattern.count("{"):
        return pattern.format(*map(_grouped, parts))
    if name == "mtr":
        return ", ".join(parts)
    whole = ("; " if name == "mtable" else "").join(parts)
    return _AROUND.get(name, "{}").format(whole)


def _all(element: Any) -> str:
    return "".join(office_equation(child) for child in element)


def _part(element: Any, name: str) -> str:
    found = element.find(M + name)
    return _all(found) if found is not None else ""


def _property(element: Any, name: str) -> str | None:
    """Of the element's own properties, which stand first in it."""
    if len(element) and element[0].tag.endswith("Pr"):
        found = element[0].find(M + name)
        if found is not None:
            return str(found.get(_VAL, ""))
    return None


def _grouped(text: str) -> str:
    text = text.strip()
    return text if _SIMPLE.fullmatch(text) else f"({text})"


def _fraction(element: Any) -> str:
    above, below = _part(element, "num"), _part(element, "den")
    if _property(element, "type") == "noBar":
        return f"({above} over {below})"
    return f"{_grouped(above)}/{_grouped(below)}"


def _with_scripts(base: str, below: str, above: str) -> str:
    return (
        base + (f"_{_grouped(below)}" if below else "") + (f"^{_grouped(above)}" if above else "")
    )


def _script(element: Any) -> str:
    base = _grouped(_part(element, "e"))
    return _with_scripts(base, _part(element, "sub"), _part(element, "sup"))


def _script_before(element: Any) -> str:
    return _with_scripts("", _part(element, "sub"), _part(element, "sup")) + _part(element, "e")


def _root(element: Any) -> str:
    degree = _part(element, "deg")
    return f"√{f'[{degree}]' if degree else ''}({_part(element, 'e')})"


def _sum(element: Any) -> str:
    operator = _property(element, "chr")
    scripts = _with_scripts(
        "∫" if operator is None else operator, _part(element, "sub"), _part(element, "sup")
    )
    return f"{scripts} {_part(element, 'e')}"


def _brackets(element: Any) -> str:
    first, between, last = (_property(element, name) for name in ("begChr", "sepChr", "endChr"))
    inside = ("|" if between is None else between).join(
        _all(part) for part in element.iterchildren(f"{M}e")
    )
    return ("(" if first is None else first) + inside + (")" if last is None else last)


def _matrix(element: Any) -> str:
    rows = (
        ", ".join(_all(cell) for cell in row.iterchildren(f"{M}e"))
        for row in element.iterchildren(f"{M}mr")
    )
    return f"[{'; '.join(rows)}]"


def _lines(element: Any) -> str:
    """Ampersands only say where the lines are aligned."""
    lines = (_all(line).replace("&", "") for line in element.iterchildren(f"{M}e"))
    return "; ".join(lines)


def _function(element: Any) -> str:
    argument = _part(element, "e")
    is_enclosed = argument.startswith("(") and argument.endswith(")")
    return _part(element, "fName") + (argument if is_enclosed else f"({argument})")


def _limit_below(element: Any) -> str:
    return _with_scripts(_part(element, "e"), _part(element, "lim"), "")


def _limit_above(element: Any) -> str:
    return _with_scripts(_part(element, "e"), "", _part(element, "lim"))


def _accent(element: Any) -> str:
    accent = _property(element, "chr")
    return _part(element, "e") + ("\u0302" if accent is None else accent)


def _bar(element: Any) -> str:
    return _part(element, "e") + ("\u0305" if _property(element, "pos") == "top" else "\u0332")


def _phantom(element: Any) -> str:
    return "" if _property(element, "show") in ("0", "off", "false") else _part(element, "e")


_OFFICE: dict[str, Callable[[Any], str]] = {
    f"{M}f": _fraction,
    f"{M}sSup": _script,
    f"{M}sSub": _script,
    f"{M}sSubSup": _script,
    f"{M}sPre": _script_before,
    f"{M}rad": _root,
    f"{M}nary": _sum,
    f"{M}d": _brackets,
    f"{M}m": _matrix,
    f"{M}eqArr": _lines,
    f"{M}func": _function,
    f"{M}limLow": _limit_below,
    f"{M}limUpp": _limit_above,
    f"{M}acc": _accent,
    f"{M}bar": _bar,
    f"{M}phant": _phantom,
}
