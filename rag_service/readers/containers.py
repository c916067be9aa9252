"""A file's name and bytes -> the bodies of the pushes in it. The same for folders and uploads."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from rag_service.errors import Unreadable
from rag_service.readers.formats import BY_EXTENSION, EXTENSIONS, WORDPRESS
from rag_service.readers.wordpress import is_wordpress_export, read_posts


def suffix(name: str) -> str:
    return PurePath(name).suffix.lower()


def can_be_read(name: str) -> bool:
    """By its name."""
    return suffix(name) in EXTENSIONS


def check_name(name: str) -> None:
    """Raises Unreadable."""
    if not can_be_read(name):
        raise Unreadable(f"is of a kind that cannot be read: use {', '.join(EXTENSIONS)}")


def pushes_of(name: str, data: bytes, source_url: str) -> Iterator[dict[str, Any]]:
    """One for a file, whose bytes nobody has looked at; one for each post of a WordPress export.

    Raises Unreadable for a name of another kind, and while an export is read.
    """
    check_name(name)
    if suffix(name) != WORDPRESS:
        yield {"source_url": source_url, "content": data, "format": BY_EXTENSION[suffix(name)].name}
        return
    if not is_wordpress_export(data):
        raise Unreadable("is no WordPress export, which is the only XML that can be read")
    is_blank = True
    for post in read_posts(data):
        is_blank = False
        yield {
            "source_url": post.link,
            "content": post.html,
            "format": "html",
            "title": post.title,
            "metadata": post.metadata,
        }
    if is_blank:
        raise Unreadable("is a WordPress export without published posts or pages")
