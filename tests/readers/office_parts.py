"""Office and OpenDocument files put together from their XML, part by part."""

import io
import zipfile
from xml.sax.saxutils import quoteattr

FORMATS = "http://schemas.openxmlformats.org"
RELATION = f"{FORMATS}/officeDocument/2006/relationships"
SPACES = (
    f'xmlns:w="{FORMATS}/wordprocessingml/2006/main" xmlns:r="{RELATION}" '
    f'xmlns:m="{FORMATS}/officeDocument/2006/math" xmlns:a="{FORMATS}/drawingml/2006/main" '
    f'xmlns:mc="{FORMATS}/markup-compatibility/2006" xmlns:p="{FORMATS}/presentationml/2006/main" '
    f'xmlns:c="{FORMATS}/drawingml/2006/chart" xmlns:dgm="{FORMATS}/drawingml/2006/diagram" '
    'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"'
)
ODF_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{full}:1.0"'
    for name, full in (
        ("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"),
        ("style", "style"), ("svg", "svg-compatible"), ("presentation", "presentation"),
    )
) + ' xmlns:xlink="http://www.w3.org/1999/xlink"'  # fmt: skip


def zipped(parts: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return file.getvalue()


def relations(*targets: tuple[str, str, str]) -> str:
    """Of (id, kind, target)."""
    entries = "".join(
        f'<Relationship Id="{id}" Type="{RELATION}/{kind}" Target={quoteattr(target)}/>'
        for id, kind, target in targets
    )
    return f'<Relationships xmlns="{FORMATS}/package/2006/relationships">{entries}</Relationships>'


def office(main: str, xml: str, related: dict[str, tuple[str, str | bytes]]) -> bytes:
    """A package whose main part is `main`; each related part is its kind and its content.

    Its relationship has the part's name as its id. Other names are parts as they are.
    """
    folder, _, name = main.rpartition("/")
    targets = [(part, kind, f"/{part}") for part, (kind, _) in related.items() if kind]
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{FORMATS}/package/2006/content-types"/>',
        "_rels/.rels": relations(("main", "officeDocument", main)),
        main: xml,
        f"{folder}/_rels/{name}.rels": relations(*targets),
    }
    return zipped(parts | {part: content for part, (_, content) in related.items()})


def word(
    body: str,
    *,
    numbering: str = "",
    styles: str = "",
    related: dict[str, tuple[str, str | bytes]] | None = None,
) -> bytes:
    """Of what stands in `w:body`, `w:numbering` and `w:styles`."""
    return office(
        "word/document.xml",
        f"<w:document {SPACES}><w:body>{body}</w:body></w:document>",
        {
            "word/numbers.xml": ("numbering", f"<w:numbering {SPACES}>{numbering}</w:numbering>"),
            "word/looks.xml": ("styles", f"<w:styles {SPACES}>{styles}</w:styles>"),
            **(related or {}),
        },
    )


def paragraph(text: str, properties: str = "") -> str:
    """`text` may be XML; what does not begin with an element becomes a run."""
    inner = text if text.startswith("<") else f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'
    return f"<w:p><w:pPr>{properties}</w:pPr>{inner}</w:p>"


def item(text: str, level: int = 0, number: int = 1) -> str:
    return paragraph(
        text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    )


def odf(body: str, *, kind: str = "text", automatic: str = "", styles: str = "") -> bytes:
    content = (
        f"<office:document-content {ODF_SPACES}><office:automatic-styles>{automatic}"
        f"</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}>"
        "</office:body></office:document-content>"
    )
    return zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": content,
            "styles.xml": f"<office:document-styles {ODF_SPACES}>{styles}</office:document-styles>",
        }
    )
