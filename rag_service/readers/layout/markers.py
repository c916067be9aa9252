"""What stands before a list item: bullets, dashes, numbers and letters."""

import re

BULLET = re.compile(
    r"([•‣◦▪▫■□●○◆◇➢➤✓✔·*-]|[\u2013\u2014\u2043\uf0b7\uf0a7\uf0d8]|o(?= ))\s*(?=\S)"
)
_NUMBER = re.compile(r"(\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)])\s+(?=\S)")


def list_marker(text: str) -> tuple[str, int] | None:
    """The marker, and where the item's text begins."""
    if match := BULLET.match(text):
        return "-", match.end()
    if match := _NUMBER.match(text):
        return match[1], match.end()
    return None
