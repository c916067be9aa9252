"""What stands on a page and says nothing: paths, breadcrumbs, menus, tables of contents."""

import re

from rag_service.models.chat.extractive.markup import STOPS, bare

_PATH = re.compile(
    r"(?:[a-z][\w+.-]{1,20}://\S+|www\.\S+|(?:\.{1,2}|~|[A-Za-z]:)?[/\\][\w.@%+~-]+(?:[/\\][^\s/\\]*)*"
    r"|[\w.@%+~-]+(?:[/\\][\w.@%+~-]+){2,}[/\\]?|(?:[\w.@%+~-]+[/\\])+(?:[\w@%+~-]*\.\w{1,5})?"
    r"|[\w@%+~-]+(?:[./\\][\w@%+~-]+){0,9}\.(?:md|rst|txt|html?|php|pdf|docx?|xlsx?|pptx?|csv|json"
    r"|xml|ya?ml|toml|ini|py|js|ts|css|png|jpe?g|svg|gif|zip|gz))[,;]?"
)
_BETWEEN = re.compile(r"[-*+\u2022|,;>\u203a\u00bb\u2192\u2190\u2514\u251c\u2500\u2502]*")
_LEADER = re.compile(r"\S.*(?:\.{3,}|\u2026{1,}|(?:\s\.){2,}|_{3,})\s*\d{1,4}")
_CRUMBS = re.compile(r"\s+[>\u203a\u00bb\u2192/|\u00b7]\s+|\s*[\u203a\u00bb]\s*")
_HOME = frozenset(
    {
        *("home", "homepage", "start", "startseite", "accueil", "inicio", "main"),
        *("首页", "首頁", "ホーム", "главная"),
    }
)
_CONTENTS = frozenset(
    {
        *("contents", "tableofcontents", "onthispage", "inthisarticle", "inhalt"),
        *("inhaltsverzeichnis", "aufdieserseite", "sommaire", "tabledesmatières", "contenido"),
        *("índice", "indice", "目次", "目录", "目錄", "содержание", "оглавление"),
    }
)
"""As `bare` gives them."""
_LONGEST_CRUMB = 40
_LONGEST_LEADER = 200


def is_furniture(line: str) -> bool:
    """The line is made of paths and addresses alone, is a breadcrumb trail or a menu that begins at
    a home page, or leads to a page by dots."""
    return _is_paths(line) or _is_trail(line) or _is_leader(line.strip())


def is_contents(topic: str) -> bool:
    """What is listed below it are headings."""
    return bare(topic) in _CONTENTS


def _is_paths(line: str) -> bool:
    words = [word for word in line.split() if not _BETWEEN.fullmatch(word)]
    named = (word.strip("()[]<>\"'`").rpartition("=")[2] for word in words)
    return bool(words) and all(
        _PATH.fullmatch(word) and any(map(str.isalpha, word)) for word in named
    )


def _is_trail(line: str) -> bool:
    parts = [bare(part) for part in _CRUMBS.split(line.strip().strip("|"))]
    is_short = all(len(part) <= _LONGEST_CRUMB for part in parts)
    return len(parts) > 1 and is_short and parts[0] in _HOME and not line.rstrip().endswith(STOPS)


def _is_leader(line: str) -> bool:
    return len(line) <= _LONGEST_LEADER and _LEADER.fullmatch(line) is not None
