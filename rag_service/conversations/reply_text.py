"""What a language model writes -> what a reader is shown, piece by piece. Pure.

Small models repeat the marks that their prompt is made of, cite sources that they were not given,
and say in a word of ours that the sources hold no answer. None of that is for a reader.
"""

import re

from rag_service.conversations.prompting import INSTRUCTIONS, NO_ANSWER, NO_SOURCES

LONGEST_REFUSAL = 400
"""Characters. A longer reply says something, however it begins. A guess."""
REPEATED_WORDS = 6
"""So many words of an instruction in a row are no chance. A guess."""


class ReplyText:
    """Any split into pieces gives the same text, and no piece waits longer than it takes to tell
    whether it belongs to a mark.

    Left out are delimiters of sources, control tokens of chat templates, NO_ANSWER, sentences of
    the instructions, and citations whose number is none of the `sources`. Brackets between
    backticks are code, and stay.
    """

    def __init__(self, sources: int) -> None:
        self._sources = sources
        self._held = ""
        self._spaces = ""  # what comes after them decides whether they are shown
        self._gap = False  # something was left out since the last character that was shown
        self._fence = 0  # how many backticks opened the code that we are in
        self._shown: list[str] = []
        self._marked = False
        self.refused = False
        """The model began with NO_ANSWER. Nothing is shown of what it says."""

    @property
    def declined(self) -> bool:
        """Whether the model says that its sources hold no answer. Final after `end`."""
        text = "".join(self._shown)
        if self.refused or not any(map(str.isalnum, text)):
            return True
        return not _CITATION.search(text) and (self._marked or _is_refusal(text.strip()))

    def push(self, piece: str) -> str:
        """What can be shown now."""
        return self._advance(piece, final=False)

    def end(self) -> str:
        """What was held back, but for the beginning of a mark."""
        return self._advance("", final=True)

    # -- how -----------------------------------------------------------------------------------

    def _advance(self, piece: str, *, final: bool) -> str:
        self._held += piece
        known = len(self._shown)
        at, end = 0, -1
        while not self.refused and at < len(self._held) and (end := self._step(at, final)) != at:
            at = end
        self._held = "" if self.refused else self._held[at:]
        return "".join(self._shown[known:])

    def _step(self, at: int, final: bool) -> int:
        """Shows or drops what stands there. Where that ends, or `at` if more has to be read."""
        text = self._held
        if not self._shown:
            self.refused = bool(_REFUSAL_MARK.match(text, at))
            if self.refused or (not final and _MAY_REFUSE.match(text, at)):
                return at
        if text[at] in " \t":
            # only one of those around a gap is left
            self._spaces = (self._spaces or " ") if self._gap else self._spaces + text[at]
            return at + 1
        mark = self._mark(at, final)
        if mark is None:
            return at
        if mark:
            return self._leave_out(mark)
        if text[at] == "`":
            return self._code(at, final)
        if not self._fence and (citation := _CITATION.match(text, at)):
            return self._cite(citation, final)
        plain = _PLAIN.match(text, at)
        return self._show(plain[0] if plain else text[at], at)

    def _mark(self, at: int, final: bool) -> int | None:
        """Where a mark that begins there ends; 0 if none does, None if more has to be read."""
        text = self._held
        if not final and _MAY_BE_MARK.match(text, at):
            return None
        if mark := _MARK.match(text, at) or (final and _TORN_MARK.match(text, at)):
            self._marked = self._marked or mark[0] == NO_ANSWER
            return mark.end()
        return 0 if self._within_word() else _repetition_end(text, at, final)

    def _leave_out(self, end: int) -> int:
        if self._is_half_a_mark():
            self._show("\u2026", end)  # or what comes next would make it whole
        self._gap = True
        return end

    def _is_half_a_mark(self) -> bool:
        """Whether what is shown ends with the beginning of a mark, beyond the first of a word."""
        tail = ("".join(self._shown[-_LONGEST_MARK:]) + self._spaces)[-_LONGEST_MARK:]
        return any(
            _MAY_BE_MARK.match(tail, at)
            for at, char in enumerate(tail)
            if char in "<[" or tail.startswith(NO_ANSWER[:3], at)
        )

    def _cite(self, citation: re.Match[str], final: bool) -> int:
        text, end = citation.string, citation.end()
        shown = self._known(citation)
        if not shown and end == len(text) and not final:
            return citation.start()
        if not shown and text[end : end + 1] != "(":  # which would make a link of it
            return self._leave_out(end)
        self._show(shown or citation[0], end)
        return end

    def _known(self, citation: re.Match[str]) -> str:
        """What is left of a citation. `items[0]` and intervals such as [0, 1] are none."""
        numbers = _numbers(citation[1])
        known = [number for number in numbers if 1 <= number <= self._sources]
        if known == numbers or (0 in numbers and (len(numbers) > 1 or self._within_word())):
            return citation[0]
        return f"[{', '.join(map(str, known))}]" if known else ""

    def _within_word(self) -> bool:
        before = self._shown[-1][-1] if self._shown and not self._spaces and not self._gap else ""
        return before.isalnum()

    def _code(self, at: int, final: bool) -> int:
        ticks = _TICKS.match(self._held, at)
        assert ticks
        if len(ticks[0]) < _MOST_TICKS and ticks.end() == len(self._held) and not final:
            return at
        if not self._fence:
            self._fence = len(ticks[0])
        elif self._fence == len(ticks[0]):
            self._fence = 0
        return self._show(ticks[0], at)

    def _show(self, text: str, at: int) -> int:
        if text == "\n" and self._fence < _BLOCK:
            self._fence = 0
        if not self._shown and text == "\n":
            return at + 1
        if not self._shown or (self._gap and text[0] in _CLOSING):
            self._spaces = ""
        self._shown.append(self._spaces + text)
        self._spaces, self._gap = "", False
        return at + len(text)


def _numbers(listed: str) -> list[int]:
    """`1, 3-5` -> 1, 3, 4, 5."""
    numbers: list[int] = []
    for part in re.split(r"[,;]", listed):
        first, *last = map(int, re.findall(r"\d+", part))
        numbers += range(first, max(first, *last) + 1) if last else [first]
    return numbers


def _repetition_end(text: str, at: int, final: bool) -> int | None:
    """Where a sentence of the instructions ends that is repeated there, whole or its beginning."""
    longest = 0
    for sentence in _INSTRUCTIONS:
        if text[at] == sentence[0]:
            end, words, open_ended = _compared(text, at, sentence)
            if open_ended and not final:
                return None
            if words >= REPEATED_WORDS or end - at >= len(sentence):
                longest = max(longest, end)
    return longest


def _compared(text: str, at: int, sentence: str) -> tuple[int, int, bool]:
    """How far they agree in whole words, how many, and whether only the text's end stopped it."""
    end, words = at, 0
    for place, char in enumerate(sentence, start=1):
        if at == len(text):
            return at, words, True
        if text[at].casefold() != char.casefold() and not (char == " " and text[at] == "\n"):
            break
        at += 1
        if char == " " or place == len(sentence):
            end, words = at, words + 1
    return end, words, False


def _is_refusal(text: str) -> bool:
    refusal = _PLAIN_REFUSAL.match(text) if len(text) <= LONGEST_REFUSAL else None
    return bool(refusal) and not _GOES_ON.search(text, refusal.end() if refusal else 0)


def _spelled(word: str) -> list[str]:
    return [re.escape(letter) for letter in word]


def _beginnings(*marks: list[str]) -> str:
    """A pattern for what ends where the text does, and may become one of the marks."""
    patterns = []
    for mark in marks:
        pattern = "(?!)"
        for atom in reversed(mark[:-1]):
            pattern = f"{atom}(?:\\Z|{pattern})"
        patterns.append(pattern)
    return "|".join(patterns)


def _any(*marks: list[str]) -> str:
    return "|".join("".join(mark) for mark in marks)


_CLOSING = ".,;:!?)\n"
_LONGEST_MARK = 64
"""Characters. The longest begin with their longest list of numbers."""
_BLOCK = 3
_PLAIN = re.compile(r"[^ \t\n`<\[A-Z]+")
_MOST_TICKS = 64
# a longer run would be held, and read again, for each piece
_TICKS = re.compile(f"`{{1,{_MOST_TICKS}}}")
_GAP = r"[ \t]{0,2}"
_LIST = r"[\d,; \t-]{0,24}"
_TAG = [_GAP, "/?", _GAP, *_spelled("source"), "s?"]
_MARKS = (
    ["<", *_TAG, r"[ \t#:.]{0,2}", r"\d", _LIST, "/?", ">?"],
    ["<", *_TAG, r"[ \t#:.]{0,2}", r"N\b", _LIST, "/?", ">"],
    ["<", "/?", *_spelled("source"), "s?", _GAP, "/?", ">"],
    ["<", r"[|\uff5c]", r"[^|\uff5c<>\n]{1,40}", r"[|\uff5c]", ">"],
)
_EXACT_MARKS = (
    ["<", "/?", "s", ">"],
    ["<", "<", "/?", *_spelled("SYS>>")],
    ["<", *_spelled("start_of_turn>")],
    ["<", *_spelled("end_of_turn>")],
    [r"\[", "/?", *_spelled("INST]")],
    _spelled(NO_ANSWER),
)
"""What our prompt and chat templates are made of: no passage can forge it, and no reply show it."""
_MARK = re.compile(f"(?i:{_any(*_MARKS)})|{_any(*_EXACT_MARKS)}")
_CITATION = re.compile(
    r"\[[ \t]?(?:[Ss]ources?[ \t#:]{0,2})?(\d{1,3}(?:[ \t]?[,;\u2013-][ \t]?\d{1,3}){0,8})[ \t]?\]"
)
_MAY_CITE = r"\[[ \t]?(?:[Ss]?[ources]{0,6}[ \t#:]{0,2})[\d ,;\u2013-]{0,40}\Z"
_MAY_BE_MARK = re.compile(f"(?i:{_beginnings(*_MARKS)})|{_beginnings(*_EXACT_MARKS)}|{_MAY_CITE}")
_TORN_MARK = re.compile(
    rf"(?i:<(?:{_GAP}/?{_GAP}so[urce]{{0,4}}s?{_LIST}|[|\uff5c][^<>\n]*|/s?))\Z|NO_A[A-Z]*\Z"
)
_DECORATION = r"[\"'*_(\[<\u201c\u2018`\s]{0,6}(?:(?i:answer|response|assistant)[ \t]?:\s{0,2})?"
_REFUSAL_MARK = re.compile(rf"{_DECORATION}(?:(?i:no_answer)|NO ANSWER(?=\s*$|[^\w\s]))")
_MAY_REFUSE = re.compile(
    _beginnings(
        [_DECORATION, "[Nn]", "[Oo]", "[_ ]", *(f"[{c}{c.lower()}]" for c in "ANSWER"), "."]
    )
)
_INSTRUCTIONS = [
    sentence.replace("\n", " ")
    for sentence in re.split(r"(?<=[.])\s", f"{INSTRUCTIONS}\n{NO_SOURCES}")
]
_SOURCES = (
    r"(?:the|these|those|your|my|any of the|none of the|all of the)(?: \w+)? "
    r"(?:sources?|documents?|passages?|context|texts?|information|knowledge base|pages?)"
    r"(?: (?:\w+ ){0,4}(?:provided|given|above|below|here|have|has))?"
)
_SAY = (
    r"(?:say|mention|hold|contain|include|provide|answer|cover|specify|state|tell|give|have|"
    r"address|describe|discuss|explain|list|indicate|appear)"
)
_PLAIN_REFUSAL = re.compile(
    r"(?:(?:(?:I|we)(?:'m| am|'re| are) )?(?:very )?(?:sorry|afraid|unfortunately|apologies)"
    r"[,.!]? (?:but )?(?:that )?)?"
    r"(?:(?:based|according) (?:on|to) [^,.]{1,60}, )?"
    r"(?:"
    r"(?:I|we) (?:(?:do not|don't|can ?not|can't|could not|couldn't) (?:really |currently )?"
    r"(?:know|find|answer|say|tell|determine|see|locate|have (?:\w+ ){0,3}"
    r"(?:information|answer|data|details?|context|knowledge))"
    r"|(?:am|'m|are|was) (?:not able|unable) to (?:find|answer|say|tell|determine|locate))"
    rf"|{_SOURCES} (?:do(?:es)? not|don't|doesn't|did not|didn't) (?:\w+ly )?{_SAY}"
    rf"|none of the (?:\w+ )?(?:sources|documents|passages|texts|pages) {_SAY}s?"
    r"|there (?:is|was) no (?:\w+ )?(?:information|mention|answer|source)"
    r"|no (?:\w+ )?(?:information|answer) (?:\w+ )?(?:is|was|were|could be) "
    r"(?:available|given|provided|found)"
    r")\b",
    re.IGNORECASE,
)
"""How models say in English that they do not know. What goes on with a citation, with "but" or at
length is an answer all the same."""
_GOES_ON = re.compile(r"\b(?:but|however|although|though|nevertheless)\b", re.IGNORECASE)
