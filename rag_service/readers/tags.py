"""HTML as a flat run of tags: what each is for, and what to do when no parser can nest them."""

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


BLOCK_TAGS = _names(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li main "
    "menu nav ol optgroup option p pre search section summary table tbody td tfoot th thead tr "
    "ul"
)
"""They begin and end a line."""

SILENT_TAGS = _names(
    "script style noscript template svg math title iframe object embed canvas audio video map "
    "select datalist input textarea"
)
"""Nothing in them is for a reader of the page."""

KNOWN_TAGS = (
    BLOCK_TAGS
    | SILENT_TAGS
    | _names(
        "a abbr acronym area b base basefont bdi bdo big blink br button cite code col colgroup "
        "data del dfn em font frame frameset i img ins kbd label link mark marquee meta meter nobr "
        "noframes output param picture progress q rb rp rt rtc ruby s samp slot small source span "
        "strike "
        "strong sub sup time track tt u var wbr"
    )
)

DEEPEST_NESTING = 500
"""Elements; browsers flatten what is deeper than 512."""

MOST_OPTIONS = 10_000
"""Closing tags are counted, too. A third of a second."""
MOST_UNCLOSED = 16
"""Formatting elements that end with their block, and begin again in each block after it."""

FEW_TAGS = 2_000
"""A source with fewer cannot do harm, so nobody counts."""

VOID_TAGS = _names("area base br col embed hr img input link meta param source track wbr")
_UNCOUNTED = VOID_TAGS | _names("form option optgroup tr td th tbody thead tfoot")
"""They nest only by way of others; the end of a form does not end what is in it."""
_FORMATTING = _names("big code em font i s small strike strong tt u b")
_ITEMS = _names("li dd dt")
_WITHIN_ITEMS = _names("address div p")
_NOTHING = _names("")
_RAW_END = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.I)
    for name in ("script", "style", "textarea", "title", "svg", "math", "template", "noscript")
}
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)([^<>]*)>?|<[!?][^<>]*>?")
_LONG_NUMBER = re.compile(r"&#\d{8,};?")


def is_hostile(source: str) -> bool:
    """Whether a tree of this would take the square of its length in time or in memory.

    The HTML algorithm looks through all open elements at each block, and copies all unclosed
    formatting elements into each paragraph; the parser looks through all choices of a menu at each.
    """
    if source.count("<") < FEW_TAGS:
        return False
    opened = _OpenTags()
    options = 0
    for closing, name, attributes in _tags(source):
        options += name == "option"
        if options > MOST_OPTIONS:
            return True
        if name in _UNCOUNTED:
            continue
        if closing:
            opened.pop(name)
        else:
            opened.push(name, attributes)
            if opened.depth > DEEPEST_NESTING or opened.unclosed > MOST_UNCLOSED:
                return True
    return False


def flat_text(source: str) -> str:
    """The text of a source that has too many open tags to make a tree of it."""
    parts: list[str] = []
    end = 0
    for match in _unraw(source):
        parts.append(source[end : match.start()])
        name = (match[2] or "").lower()
        if name in BLOCK_TAGS:
            parts.append("\n\n")
        elif name == "br":
            parts.append("\n")
        end = match.end()
        if not match[1] and name in _RAW_END:
            closed = _RAW_END[name].search(source, end)
            end = closed.start() if closed else len(source)
    parts.append(source[end:])
    return unescape(_LONG_NUMBER.sub("\ufffd", "".join(parts)))


def _unraw(source: str) -> Iterator[re.Match[str]]:
    """The tags in order, but not what is between a raw element's tags."""
    at = 0
    while match := _TAG.search(source, at):
        yield match
        at = match.end()
        name = (match[2] or "").lower()
        if not match[1] and name in _RAW_END:
            closed = _RAW_END[name].search(source, at)
            if closed is None:
                return
            at = closed.start()


def _tags(source: str) -> Iterator[tuple[bool, str, str]]:
    for match in _unraw(source):
        name = (match[2] or "").lower()
        if name and name not in _RAW_END:
            yield bool(match[1]), name, match[3].strip()


class _OpenTags:
    """Follows the HTML algorithm roughly; where it differs, it takes more tags to be open."""

    def __init__(self) -> None:
        self._stack: list[tuple[str, str]] = []
        self._counts: Counter[str] = Counter()
        self._unclosed: set[tuple[str, str]] = set()

    @property
    def depth(self) -> int:
        return len(self._stack)

    @property
    def unclosed(self) -> int:
        return len(self._unclosed)

    def push(self, name: str, attributes: str) -> None:
        if name in BLOCK_TAGS and self._reaches("p", _NOTHING):
            self.pop("p")
        if name in _ITEMS and self._reaches(name, _WITHIN_ITEMS):
            self.pop(name)
        self._stack.append((name, attributes))
        self._counts[name] += 1

    def pop(self, name: str) -> None:
        """A block's end closes all that is in it; another end tag reaches to the block around."""
        if not self._counts[name] or (name not in BLOCK_TAGS and not self._reaches(name, _NOTHING)):
            return
        while True:
            last = self._stack.pop()
            self._counts[last[0]] -= 1
            if last[0] == name:
                return
            if last[0] in _FORMATTING and last[1]:
                self._unclosed.add(last)

    def _reaches(self, name: str, through: frozenset[str]) -> bool:
        """Whether such an element is open, with no blocks in between but these."""
        if not self._counts[name]:
            return False
        for opened, _ in reversed(self._stack):
            if opened == name:
                return True
            if opened in BLOCK_TAGS and opened not in through:
                return False
        return False
