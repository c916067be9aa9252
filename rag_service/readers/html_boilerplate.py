"""Which elements of a page are there to get around on its site, and which it does not show."""

import re
from collections.abc import Mapping

from selectolax.lexbor import LexborNode

from rag_service.readers.outline import Outline

_MARGINS = frozenset(("footer", "aside", "header", "nav"))
_MARGIN_ROLES = frozenset(("contentinfo", "complementary", "banner", "navigation"))
_BOXES = _MARGINS | frozenset(("div", "section", "ul", "ol", "menu", "p", "button"))
_LINK_BOXES = _BOXES - {"nav", "button"}
_NAVIGATION = re.compile(
    r"(?<![a-z])(?:breadcrumbs?|(?:share|sharing|social)-?(?:bar|box|buttons?|icons?|links?)"
    r"|sharedaddy|skip-?(?:links?|to-?content)|pagination|table-?of-?contents|toc|catlinks"
    r"|interlanguage|related-?(?:articles?|links?|pages|posts?|stories)|yarpp|jp-relatedposts"
    r"|(?:nav|menu|navbar)-?(?:btn|button|icon|toggler?)|hamburger|back-?to-?top)(?![a-z])"
)
_COOKIES = re.compile(
    r"(?<![a-z])(?:cookie-?(?:banner|bar|consent|notice|popup)s?|cookieconsent|onetrust"
    r"|cookiebot|cc-window|(?:gdpr|consent)-?(?:banner|bar|notice|popup))(?![a-z])"
)
_LONGEST_NAMED = 2_000
_LONGEST_LINK = 60
"""Characters a link has on average at most, where links are there to get around."""
_LONGEST_SEARCH = 100
_FEWEST_LINKS = 3
_MOST_LINKS = 500
_MOST_LOOKS = 500
"""Each takes the time that what is in the element takes: time has to stay linear."""
_CONTACT = "a[href^='tel:'], a[href^='mailto:']:not([href^='mailto:?']), a[href*='maps'], address"
_FILE = re.compile(r"\.(?:pdf|docx?|xlsx?|pptx?|od[tsp]|csv|zip)(?:[?#]|\Z)", re.I)
_HIDDEN = "[hidden], [style*=display i], [style*=visibility i], [aria-hidden=true], dialog"
_HIDING = re.compile(r"(?<![\w-])(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.I)
_OPENERS = "[aria-controls], [data-target], [data-bs-target], a[href^='#']"
_OPENING = ("aria-controls", "data-target", "data-bs-target", "href")
_ICON_NAME = re.compile(r"(?<![a-z])icons?(?![a-z])|(?<![a-z])fa-|glyph", re.I)


def hidden_elements(root: LexborNode) -> frozenset[int]:
    """By `mem_id`: what the page does not show, unless something on it is there to open it."""
    openable = {
        (opener.attributes.get(name) or "").lstrip("#")
        for opener in root.css(_OPENERS)
        for name in _OPENING
    } - {""}
    return frozenset(node.mem_id for node in root.css(_HIDDEN) if _is_hidden(node, openable))


class Boilerplate:
    """Recognises menus, breadcrumbs, share buttons, cookie notices, lists of related pages, search
    forms, and the links at the margins of a page. In doubt an element is read."""

    def __init__(self) -> None:
        self._inside_margins = 0
        self._looks = _MOST_LOOKS

    def covers(self, tag: str, node: LexborNode) -> str:
        """Such as "navigation"; blank for what is to be read."""
        if tag in ("form", "search"):
            return "navigation" if self._is_search(tag, node) else ""
        if tag not in _BOXES:
            return ""
        attributes = node.attributes
        if attributes.get("role") == "search":
            return "navigation"
        if tag == "nav" or attributes.get("role") == "navigation":
            return "navigation" if self._may_look() and _is_menu(node) else ""
        named = f"{attributes.get('class') or ''} {attributes.get('id') or ''}".lower()
        for kind, pattern in (("cookie notices", _COOKIES), ("navigation", _NAVIGATION)):
            if pattern.search(named) and self._may_look():
                return kind if _is_short(node) else ""
        is_links = tag in _LINK_BOXES and self._is_links(tag, node)
        return "navigation" if is_links else ""

    def enter(self, tag: str, node: LexborNode) -> None:
        self._inside_margins += _is_margin(tag, node)

    def leave(self, tag: str, node: LexborNode) -> None:
        self._inside_margins -= _is_margin(tag, node)

    def _may_look(self) -> bool:
        self._looks -= 1
        return self._looks >= 0

    def _is_search(self, tag: str, node: LexborNode) -> bool:
        attributes = node.attributes
        if tag == "search" or attributes.get("role") == "search":
            return True
        field = "input[type=search], input[name=q], input[name=s], input[name=query]"
        return (
            self._may_look()
            and node.css_first(field) is not None
            and len(node.text()) <= _LONGEST_SEARCH
            and len(node.css("input:not([type=hidden]), textarea, select")) <= _FEWEST_LINKS
        )

    def _is_links(self, tag: str, node: LexborNode) -> bool:
        """Links to other pages at a margin, or a list of places on this page anywhere."""
        if not (self._inside_margins or tag in ("ul", "ol", "footer")) or not self._may_look():
            return False
        links = node.css("a[href]")
        if not _FEWEST_LINKS <= len(links) <= _MOST_LINKS:
            return False
        if not self._inside_margins and tag != "footer":
            return all(map(_leads_nowhere_else, links)) and _unlinked(node, links) <= 0.1
        linked = sum(len(link.text()) for link in links)
        return (
            linked <= _LONGEST_LINK * len(links)
            and _unlinked(node, links, "h2, h3, h4, h5, h6") <= 0.1
            and not _holds_content(node, links)
        )


def leave_out(kind: str, node: LexborNode, outline: Outline) -> None:
    """Tells how many words are not taken, such as "57 words of navigation"."""
    words = len(node.text(separator=" ").split())
    if words:
        outline.leave_out(f"word of {kind}", f"words of {kind}", count=words, is_loss=False)


def _is_hidden(node: LexborNode, openable: set[str]) -> bool:
    attributes = node.attributes
    if attributes.get("aria-hidden") == "true" and _is_icon(node, attributes):
        return True
    hides = (
        ("hidden" in attributes and attributes["hidden"] != "until-found")
        or _HIDING.search(attributes.get("style") or "") is not None
        or (node.tag == "dialog" and "open" not in attributes)
    )
    if not hides or attributes.get("role") == "tabpanel":
        return False
    return (attributes.get("id") or "") not in openable


def _is_icon(node: LexborNode, attributes: Mapping[str, str | None]) -> bool:
    """Other things that are kept from screen readers are seen all the same."""
    text = node.text().strip()
    is_named = node.tag == "i" or _ICON_NAME.search(attributes.get("class") or "") is not None
    return len(text) <= 30 and (is_named or not any(map(str.isalnum, text)))


def _is_margin(tag: str, node: LexborNode) -> bool:
    return tag in _MARGINS or (tag == "div" and node.attributes.get("role") in _MARGIN_ROLES)


def _is_short(node: LexborNode) -> bool:
    return len(node.text()) <= _LONGEST_NAMED and node.css_first("h1, pre") is None


def _is_menu(node: LexborNode) -> bool:
    """Contact data or whole sentences in it make it more than a menu."""
    links = node.css("a[href]")
    is_linked = _unlinked(node, links, "h2, h3, h4, h5, h6, button, form") <= 1 / 3
    return (is_linked or len(node.text().split()) <= 12) and not _holds_content(node, links)


def _holds_content(node: LexborNode, links: list[LexborNode]) -> bool:
    is_contact = node.css_first(_CONTACT) is not None
    return is_contact or any(_FILE.search(link.attributes.get("href") or "") for link in links)


def _unlinked(node: LexborNode, links: list[LexborNode], around: str = "") -> float:
    """The share of the characters that are in no link, nor in what may stand around links."""
    whole = _letters(node)
    apart = sum(map(_letters, links)) + sum(map(_letters, node.css(around) if around else []))
    return 1 - min(apart / whole, 1) if whole else 0


def _letters(node: LexborNode) -> int:
    return len("".join(node.text().split()))


def _leads_nowhere_else(link: LexborNode) -> bool:
    """To a place on this page, or to the page in another language."""
    attributes = link.attributes
    return "hreflang" in attributes or (attributes.get("href") or "").startswith("#")
