"""PDFs with forms and notes, put together from their objects."""

from collections.abc import Sequence

Box = tuple[float, float, float, float]
Line = tuple[float, float, str]
"""From the left, from the bottom, and what it says, in 11 points."""


def form_pdf(
    lines: Sequence[Line], annotations: Sequence[str], *, rotate: int = 0, drawing: str = ""
) -> bytes:
    """A page of 600 by 800 points. Fields are those annotations that have a name."""
    text = "".join(f"BT /F 11 Tf {x} {y} Td ({say}) Tj ET\n" for x, y, say in lines)
    first = 7
    refs = [f"{first + n} 0 R" for n in range(len(annotations))]
    fields = " ".join(r for r, a in zip(refs, annotations, strict=True) if "/FT" in a)
    objects = [
        f"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[{fields}]/DR<</Font<</F 4 0 R>>>>"
        "/DA(/F 11 Tf 0 g)>>>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Rotate {rotate}/Contents 5 0 R"
        f"/Resources<</Font<</F 4 0 R>>>>/Annots[{' '.join(refs)}]>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        _stream("", drawing + text),
        _appearance("Approved"),
        *annotations,
    ]
    body = b"%PDF-1.7\n"
    starts = []
    for number, item in enumerate(objects, 1):
        starts.append(len(body))
        body += f"{number} 0 obj\n{item}\nendobj\n".encode("latin-1")
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    count = len(objects) + 1
    tail = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer<</Size {count}/Root 1 0 R>>"
    return body + f"{tail}\nstartxref\n{len(body)}\n%%EOF".encode()


APPROVED = "/AP<</N 6 0 R>>"
"""An appearance that says so."""


def text_field(name: str, box: Box, value: str, more: str = "") -> str:
    return f"<<{_annotation('Widget', box)}/FT/Tx/T({name})/V({value}){more}>>"


def choice_field(name: str, box: Box, options: Sequence[tuple[str, str]], chosen: str) -> str:
    """Each option has a value and what is shown."""
    listed = "".join(f"[({value})({shown})]" for value, shown in options)
    return f"<<{_annotation('Widget', box)}/FT/Ch/Ff 131072/T({name})/V({chosen})/Opt[{listed}]>>"


def tick_box(name: str, box: Box, *, ticked: bool) -> str:
    state = "Yes" if ticked else "Off"
    return (
        f"<<{_annotation('Widget', box)}/FT/Btn/T({name})/V/{state}/AS/{state}"
        "/AP<</N<</Yes 6 0 R/Off 6 0 R>>>>>>"
    )


def note(kind: str, box: Box, contents: str = "", more: str = "") -> str:
    said = f"/Contents({contents})" if contents else ""
    return f"<<{_annotation(kind, box)}{said}{more}>>"


def _annotation(kind: str, box: Box) -> str:
    return f"/Type/Annot/Subtype/{kind}/F 4/Rect[{' '.join(map(str, box))}]"


def _appearance(text: str) -> str:
    return _stream(
        "/Type/XObject/Subtype/Form/BBox[0 0 100 20]/Resources<</Font<</F 4 0 R>>>>",
        f"BT /F 11 Tf 2 5 Td ({text}) Tj ET",
    )


def _stream(entries: str, content: str) -> str:
    return f"<<{entries}/Length {len(content)}>>\nstream\n{content}\nendstream"
