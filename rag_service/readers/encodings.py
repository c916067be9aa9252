"""Bytes of text in any encoding -> str."""

import codecs
import re

from charset_normalizer import from_bytes

from rag_service.errors import Unreadable

_SAMPLE = 262_144
_HEAD = 4096
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b"))
_NO_TEXT = "is neither text nor of a kind that can be read"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w-]{2,40})""", re.I)
_PROLOG = re.compile(rb"""\A\s*<\?xml[^>]{0,200}encoding\s*=\s*["']([\w-]{2,40})["']""", re.I)


def decode(data: bytes) -> str:
    """By its byte order mark, as UTF-8, as its markup declares, or as it most likely is.

    Raises Unreadable for what is no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    if wide := _wide(data):
        return data.decode(wide, errors="replace")
    if len(data[:_SAMPLE].translate(None, _CONTROLS)) < 0.98 * len(data[:_SAMPLE]):
        raise Unreadable(_NO_TEXT)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _guess(data)


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: half of its bytes, all even or all odd ones, are zeros mostly."""
    sample = data[:_HEAD]
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = sample[first::2].count(0), sample[1 - first :: 2]
        is_text = len(others.translate(None, _CONTROLS)) == len(others)
        if zeros and is_text and 2 * zeros > len(others):
            return encoding
    return None


def _guess(data: bytes) -> str:
    for pattern in (_PROLOG, _DECLARED):
        if declared := pattern.search(data[:_HEAD]):
            try:
                return data.decode(declared[1].decode("ascii"))
            except (LookupError, UnicodeError, ValueError):
                break  # it is not what it says
    best = from_bytes(data[:_SAMPLE]).best()
    if best is None:
        raise Unreadable(_NO_TEXT)
    return data.decode(best.encoding, errors="replace").removeprefix("\ufeff")
