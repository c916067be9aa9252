"""JSON is read so that each part is found by the names of what it is in."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from promises import blocks, keeps_promises, read, refusal

from rag_service.documents import ParsedDocument

SHOP = {
    "shop": "Hot Water",
    "products": [
        {
            "id": 7,
            "name": "Kettle A",
            "variants": [{"sku": "A-8", "litres": 0.8}, {"sku": "A-12", "litres": 1.2}],
        },
        {"id": 8, "name": "Kettle B", "variants": [{"sku": "B-8", "sizes": [{"cm": 3}]}]},
    ],
}


def texts(value: Any) -> list[str]:
    content = value if isinstance(value, str) else json.dumps(value)
    return [block[2] for block in blocks(read(content, "json"))]


def lead(parsed: ParsedDocument) -> str:
    """What is repeated above each piece of its last block."""
    block = parsed.blocks[-1]
    return parsed.text[block.start : block.start + block.lead]


def test_parts_begin_with_the_names_of_what_they_are_in() -> None:
    shop, *parts = texts(SHOP)
    assert shop == "shop: Hot Water"
    assert all(part.startswith(f"{shop}\n") for part in parts)
    assert [part.removeprefix(f"{shop}\n") for part in parts] == [
        "products.name: Kettle A\nproducts.id: 7",
        "products.name: Kettle A\nproducts.variants.sku: A-8\nproducts.variants.litres: 0.8",
        "products.name: Kettle A\nproducts.variants.sku: A-12\nproducts.variants.litres: 1.2",
        "products.name: Kettle B\nproducts.id: 8",
        "products.name: Kettle B\nproducts.variants.sku: B-8",
        "products.name: Kettle B\nproducts.variants.sku: B-8\nproducts.variants.sizes.cm: 3",
    ]


@pytest.mark.parametrize(
    ("product", "named"),
    [
        ({"nr": 4, "bezeichnung": "Kessel"}, "bezeichnung: Kessel"),
        ({"info": {"name": "Kettle", "made": 1999}}, "info.name: Kettle"),
        ({"brand": "Hot", "productName": "Kettle"}, "productName: Kettle"),
        ({"id": 4, "material": "steel", "kind": "pot"}, "id: 4\nmaterial: steel\nkind: pot"),
        ({"year": 1999, "material": "steel"}, "material: steel"),
        ({"Name": "Kettle", "text": "long " * 99}, "Name: Kettle"),
    ],
)
def test_an_object_is_called_by_its_name_or_what_comes_nearest(
    product: dict[str, Any], named: str
) -> None:
    assert texts([{**product, "parts": [{"screw": "M4"}]}])[-1] == f"{named}\nparts.screw: M4"


def test_an_object_may_be_called_by_the_name_of_its_list() -> None:
    products = [{"sorte": "rot", "produkt": "Kessel", "teile": [{"nr": "M4"}]}]
    assert texts({"produkte": products})[-1] == "produkte.produkt: Kessel\nprodukte.teile.nr: M4"


def test_the_title_of_the_whole_is_not_told_again() -> None:
    parsed = read('{"title": "Kettle", "parts": [{"screw": "M4"}]}', "json")
    assert parsed.title == "Kettle"
    assert blocks(parsed)[-1][2] == "parts.screw: M4"


def test_objects_by_name_keep_it_in_their_paths() -> None:
    shops = {"Oslo": {"items": [{"sku": "A"}]}, "Rome": {"items": [{"sku": "B"}]}}
    assert texts(shops) == ["Oslo.items.sku: A", "Rome.items.sku: B"]


def test_a_long_record_repeats_what_it_is_called() -> None:
    parsed = read(json.dumps([{"text": "word " * 500, "title": "Guide"}]), "json")
    assert lead(parsed) == "title: Guide"


def test_numbers_stay_as_they_are_written() -> None:
    written = "[1e22, 1.10, 12345678901234567890123, -0.0, NaN, 1E-7]"
    assert texts(f'{{"n": {written}}}') == [f"n: {written[1:-1]}"]
    assert texts("9" * 5_000) == ["9" * 5_000]


def test_a_name_that_comes_twice_is_told_twice() -> None:
    assert texts('{"tel": "1", "tel": "2"}') == ["tel: 1\ntel: 2"]


def test_json_lines_are_records_and_a_bad_line_is_text() -> None:
    content = '{"name": "Bell"}\n\n{"name": "Pump"}\n{"name": "Ge\n{"name": "Axle"}\n'
    assert texts(content) == ["name: Bell", "name: Pump", '{"name": "Ge', "name: Axle"]
    assert texts('{"a": 1}{"a": 2}\x1e{"a": 3}') == ["a: 1", "a: 2", "a: 3"]


def test_parts_of_records_in_json_lines_keep_their_names() -> None:
    content = "\n".join(f'{{"name": "{name}", "parts": [{{"screw": 4}}]}}' for name in ("A", "B"))
    assert texts(content)[1::2] == ["name: A\nparts.screw: 4", "name: B\nparts.screw: 4"]


def test_rows_of_texts_are_a_table_and_coordinates_are_not() -> None:
    value = {"name": "Fees", "rows": [["Item", "Price"], ["Bell", 2.50], ["Pump", 3]]}
    parsed = read(json.dumps(value), "json")
    assert blocks(parsed)[-1][2] == "rows:\nItem | Price\nBell | 2.5\nPump | 3"
    assert lead(parsed) == "rows:\nItem | Price"
    place = {"name": "Path", "coordinates": [[12.5, 47.1], [12.6, 47.2]]}
    assert texts([place]) == ["name: Path\ncoordinates: [[12.5, 47.1], [12.6, 47.2]]"]


def test_rows_have_the_names_of_columns_that_stand_beside_them() -> None:
    parsed = read('{"columns": ["Year", "Sum"], "data": [[2023, 5], [2024, 7]]}', "json")
    assert blocks(parsed)[-1][2] == "data:\nYear | Sum\n2023 | 5\n2024 | 7"
    assert lead(parsed) == "data:\nYear | Sum"


@pytest.mark.parametrize("content", ["42", '"Just text."', "true"])
def test_a_single_value_is_its_text(content: str) -> None:
    assert texts(content) == [content.strip('"')]


@pytest.mark.parametrize(
    "content", ["{", "[1,", "nope", '{"a": 1} nope', "[" * 900 + "]" * 900, '[{"a":' * 200 + "1"]
)
def test_what_is_no_json_is_refused(content: str) -> None:
    assert "JSON" in refusal(content.encode(), "json")


words = st.text("abcdefgh", min_size=1, max_size=5)
values = st.recursive(
    st.integers() | st.floats(allow_nan=True) | st.booleans() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_every_value_is_in_the_text(value: Any) -> None:
    parsed = read(json.dumps(value), "json")
    assert keeps_promises(parsed)
    for leaf in leaves(value):
        assert (leaf if isinstance(leaf, str) else json.dumps(leaf)) in parsed.text


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [value]
