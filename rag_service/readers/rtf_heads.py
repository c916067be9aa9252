"""What stands in the head of an RTF file: fonts, styles, lists and a title."""

from rag_service.readers.rtf_fields import Captured
from rag_service.readers.rtf_fonts import Fonts
from rag_service.readers.rtf_groups import NOTHING, Destination, Look
from rag_service.readers.rtf_lists import Lists, Styles


class Heads:
    """Grows while the head is read."""

    def __init__(self) -> None:
        self.title = ""
        self.fonts = Fonts()
        self.styles = Styles()
        self.lists = Lists()

    def table(self, word: str) -> Destination | None:
        """Who takes a group that begins with this word; None where it is none of a head."""
        match word:
            case "fonttbl":
                return _FontTable(self.fonts)
            case "stylesheet":
                return self.styles
            case "listtable" | "listoverridetable":
                return self.lists
            case "info":
                return _Info(self)
        return None


class _FontTable(Destination):
    def __init__(self, fonts: Fonts) -> None:
        self._fonts = fonts
        self._font = 0
        self._is_named = False

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        return NOTHING if is_optional else None

    def text(self, text: str, look: Look) -> None:
        if not self._is_named:
            self._fonts.add(self._font, name=text.partition(";")[0].strip())
        self._is_named = self._is_named or ";" in text

    def word(self, word: str, number: int | None, look: Look) -> None:
        if word == "f":
            self._font, self._is_named = number or 0, False
            self._fonts.add(self._font)
        elif word == "fcharset":
            self._fonts.add(self._font, charset=number or 0)
        elif word == "cpg":
            self._fonts.add(self._font, page=number or 0)


class _Info(Destination):
    def __init__(self, heads: Heads) -> None:
        self._heads = heads

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        return Captured(self._name) if word == "title" else NOTHING

    def _name(self, title: str) -> None:
        self._heads.title = title
