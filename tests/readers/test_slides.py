"""Slides: the order in which they are read, and what they show besides text."""

import pptx
import pytest
from files import saved
from office_parts import SPACES, office, relations
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches
from promises import blocks, read_file

FRAME = (Inches(1), Inches(2), Inches(6), Inches(4))


def deck(*shapes: str, related: dict[str, tuple[str, str | bytes]] | None = None) -> bytes:
    """One slide with these shapes."""
    slide = f"<p:sld {SPACES}><p:cSld><p:spTree>{''.join(shapes)}</p:spTree></p:cSld></p:sld>"
    return office(
        "ppt/presentation.xml",
        f'<p:presentation {SPACES}><p:sldIdLst><p:sldId r:id="ppt/first.xml"/></p:sldIdLst>'
        "</p:presentation>",
        {"ppt/first.xml": ("slide", slide), **(related or {})},
    )


def shape(text: str, x: int, y: int, *, width: int = 10, height: int = 10, role: str = "") -> str:
    return (
        f"<p:sp><p:nvSpPr><p:cNvPr/><p:nvPr>{role}</p:nvPr></p:nvSpPr><p:spPr><a:xfrm>"
        f'<a:off x="{x}" y="{y}"/><a:ext cx="{width}" cy="{height}"/></a:xfrm></p:spPr>'
        f"<p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
    )


def test_shapes_are_read_by_their_place_and_titles_first() -> None:
    group = (
        '<p:grpSp><p:grpSpPr><a:xfrm><a:off x="0" y="20"/><a:ext cx="50" cy="10"/></a:xfrm>'
        f"</p:grpSpPr>{shape('in a group, right', 900, 0)}{shape('in a group, left', 800, 1)}"
        "</p:grpSp>"
    )
    data = deck(
        shape("bottom", 0, 40), group, shape("right", 50, 1), shape("left", 0, 2),
        shape("Title", 0, 90, role='<p:ph type="title"/>'),
    )  # fmt: skip
    assert read_file(data, "pptx").text.split("\n\n") == [
        "Title", "left", "right", "in a group, left", "in a group, right", "bottom"
    ]  # fmt: skip


def test_hidden_shapes_and_slides_are_left_out_and_told() -> None:
    presentation = pptx.Presentation()
    for text in ("Seen", "Unseen"):
        slide = presentation.slides.add_slide(presentation.slide_layouts[5])
        slide.shapes.title.text = text
    slide._element.set("show", "0")
    box = presentation.slides[0].shapes.add_textbox(*FRAME)
    box.text_frame.text = "switched off"
    box._element.nvSpPr.cNvPr.set("hidden", "1")
    parsed = read_file(saved(presentation), "pptx")
    assert parsed.text == "Seen"
    assert [left.sentence for left in parsed.left_out] == [
        "1 hidden shape (slide 1)",
        "1 hidden slide (slide 2)",
    ]


def charted(kind: XL_CHART_TYPE, data: object) -> bytes:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    chart = slide.shapes.add_chart(kind, *FRAME, data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Visitors"
    return saved(presentation)


@pytest.mark.parametrize("kind", [XL_CHART_TYPE.COLUMN_CLUSTERED, XL_CHART_TYPE.LINE])
def test_a_chart_is_a_table_of_its_values(kind: XL_CHART_TYPE) -> None:
    data = CategoryChartData()
    data.categories = ["Spring", "Autumn"]
    data.add_series("Museum", (1200, None))
    data.add_series("Castle", (0.25, 0.5), "0.0%")
    parsed = read_file(charted(kind, data), "pptx")
    assert [text for _, _, text in blocks(parsed)] == [
        "Visitors",
        "| Museum | Castle\nSpring | 1200 | 25.0%\nAutumn |  | 50.0%",
    ]


def test_points_stand_with_both_their_values() -> None:
    data = XyChartData()
    for name, points in (("A", [(1, 2), (3, 4)]), ("B", [(5, 6)])):
        series = data.add_series(name)
        for x, y in points:
            series.add_data_point(x, y)
    assert "A | 1 | 2\nA | 3 | 4\nB | 5 | 6" in read_file(
        charted(XL_CHART_TYPE.XY_SCATTER, data), "pptx"
    ).text.replace(".0", "")


def test_a_diagram_is_a_list_of_its_nodes() -> None:
    frame = (
        "<p:graphicFrame><a:graphic><a:graphicData>"
        '<dgm:relIds r:dm="ppt/nodes.xml"/></a:graphicData></a:graphic></p:graphicFrame>'
    )
    points = "".join(
        f'<dgm:pt modelId="{id}"><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>'
        for id, text in ((2, "Sell"), (1, "Buy"), (3, "Ask"))
    )
    links = "".join(
        f'<dgm:cxn srcId="{above}" destId="{below}" srcOrd="{order}"/>'
        for above, below, order in ((0, 1, 0), (0, 2, 1), (1, 3, 0))
    )
    nodes = (
        f'<dgm:dataModel {SPACES}><dgm:ptLst><dgm:pt modelId="0" type="doc"/>{points}</dgm:ptLst>'
        f"<dgm:cxnLst>{links}</dgm:cxnLst></dgm:dataModel>"
    )
    slide = ("slide", f"<p:sld {SPACES}><p:cSld><p:spTree>{frame}</p:spTree></p:cSld></p:sld>")
    links = relations(("ppt/nodes.xml", "diagramData", "/ppt/nodes.xml"))
    data = deck(
        related={
            "ppt/first.xml": slide,
            "ppt/_rels/first.xml.rels": ("", links),
            "ppt/nodes.xml": ("", nodes),
        }
    )
    assert read_file(data, "pptx").text == "- Buy\n  - Ask\n- Sell"


def test_a_diagram_that_lacks_its_nodes_is_told() -> None:
    frame = "<p:graphicFrame><a:graphic><dgm:relIds/></a:graphic></p:graphicFrame>"
    left_out = read_file(deck(shape("x", 0, 0), frame), "pptx").left_out
    assert [left.sentence for left in left_out] == ["1 diagram (slide 1)"]


def test_merged_cells_are_in_each_of_their_rows_and_columns() -> None:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    table = slide.shapes.add_table(3, 3, *FRAME).table
    for row in range(3):
        for column in range(3):
            table.cell(row, column).text = f"{row}{column}"
    for first, last, text in (((0, 0), (0, 1), "wide"), ((1, 2), (2, 2), "high")):
        for cell in (table.cell(*first), table.cell(*last)):
            cell.text = ""
        table.cell(*first).merge(table.cell(*last))
        table.cell(*first).text = text
    text = read_file(saved(presentation), "pptx").text
    assert text == "wide | wide | 02\n10 | 11 | high\n20 | 21 | high"


def test_numbered_paragraphs_have_their_numbers() -> None:
    def point(text: str, properties: str) -> str:
        return f"<a:p><a:pPr>{properties}</a:pPr><a:r><a:t>{text}</a:t></a:r></a:p>"

    letters = '<a:buAutoNum type="alphaLcParenR" startAt="2"/>'
    frame = (
        "<p:sp><p:nvSpPr><p:cNvPr/><p:nvPr/></p:nvSpPr><p:spPr/><p:txBody>"
        + point("one", letters) + point("two", letters) + point("dot", '<a:buChar char="•"/>')
        + "</p:txBody></p:sp>"
    )  # fmt: skip
    assert read_file(deck(frame), "pptx").text == "b) one\nc) two\n- dot"


def test_a_footer_is_read_once_and_numbers_of_slides_are_not() -> None:
    footer = shape("Mill Lane 4", 0, 99, role='<p:ph type="ftr"/>')
    counter = shape("7", 0, 99, role='<p:ph type="sldNum"/>')
    assert read_file(deck(shape("x", 0, 0), footer, footer, counter), "pptx").text == (
        "x\n\nMill Lane 4"
    )
