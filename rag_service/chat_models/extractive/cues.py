"""What a question asks for, told by its words, and what shows it: a number for how many."""

import re
from typing import NamedTuple


class Cue(NamedTuple):
    name: str
    asks: re.Pattern[str]
    shows: re.Pattern[str]
    worth: float
    """How much it tells where it is shown: few texts have a date, nearly all have a name."""


_MONTHS = (
    r"Jan(?:uary|uar|vier)?|Feb(?:ruary|ruar)?|f\u00e9vrier|M\u00e4rz|March|Mar|mars|Apr(?:il)?|avril|May"
    r"|Mai|mai|June?|Juni|juin|July?|Juli|juillet|Aug(?:ust)?|ao\u00fbt|Sept?(?:ember)?|septembre"
    r"|O[ck]t(?:ober)?|octobre|Nov(?:ember)?|novembre|De[cz](?:ember)?|d\u00e9cembre"
)


def _cue(name: str, asks: str, shown: str, worth: float = 1.0) -> Cue:
    return Cue(name, re.compile(asks, re.I), re.compile(shown), worth)


_WEAK = 0.3

# in the order of trial; English, with the words that begin such questions in other languages
_CUES = [
    _cue(
        "price",
        r"\bhow much (?:does|do|is|are|will|would|did|must|should)\b.*\b(?:cost|pay|charge)"
        r"|\bhow much (?:is|are|for) (?:an?|the|it|one|two)\b"
        r"|\b(?:costs?|prices?|fees?|priced|kostet|kosten|preise?|co\u00fbtent?|prix|cuesta|precio)\b"
        r"|\u591a\u5c11\u94b1|\u591a\u5c11\u9322|\u4ef7\u683c|\u50f9\u683c|\u3044\u304f\u3089",
        r"[$\u20ac\u00a3\u00a5\u20b9]|\b\d[\d.,]*\s?(?:USD|EUR|GBP|CHF|dollars?|euros?|cents?|Euro"
        r"|pounds?|francs?)\b|\b(?:USD|EUR|GBP|CHF|Fr\.)\s?\d|\d\s?[\u5143\u5186\u5713]"
        r"|\b(?i:free|no charge|kostenlos|gratis|gratuite?)\b",
    ),
    _cue(
        "number",
        r"\bhow (?:many|much|old|long|far|large|big|tall|high|fast|often|deep|wide|soon|late)\b"
        r"|\b(?:percent|limit|maximum|minimum|deadline|number of)\b"
        r"|\bwhat (?:number|amount|size|age|population|temperature)\b"
        r"|\bwie(?: ?viele?|\s(?:lange|oft|hoch|gro\u00df|weit|alt))\b|\bcombien\b|\bcu\u00e1nt[oa]s?\b"
        r"|\u591a\u5c11|\u591a\u4e45|\u591a\u957f|\u51e0|\u4f55(?:\u5206|\u65e5|\u500b|\u4eba|\u56de)",
        r"\d|\b(?i:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty"
        r"|fifty|dozens?|hundreds?|thousands?|[mb]illions?|half|third|quarter|percent|once|twice"
        r"|daily|weekly|monthly|yearly|zwei|drei|vier|f\u00fcnf|sechs|sieben|acht|neun|zehn|deux|trois"
        r"|quatre|cinq|sept|huit|neuf|dix)\b|[\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d"
        r"\u5341\u767e\u5343](?=[\u4e2a\u5929\u5e74\u6708\u6b21\u4eba\u5f20\u5c0f\u5206\u81f3\u5230\u5341])",
    ),
    _cue(
        "date",
        r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|decade|century|time)\b|\bwann\b|\bquand\b"
        r"|\bcu\u00e1ndo\b|\bum wie ?viel uhr\b|\bquelle heure\b|\u4ec0\u4e48\u65f6\u5019|\u4f55\u65f6"
        r"|\u51e0\u70b9|\u3044\u3064|\u4f55\u6642",
        r"\b1\d{3}\b|\b20\d\d\b|\d0s\b|\b\d{1,2}[:.]\d\d\b|\b\d{1,2}\s?(?:[AaPp]\.?[Mm]\b|Uhr|h\b)"
        r"|(?i:\bcentury|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|mittwoch|\w{2,8}tags?\b)"
        rf"|\b(?:{_MONTHS})\b|[\d\u4e00-\u5341][\u5e74\u6708\u65e5\u70b9\u6642]",
    ),
    _cue(
        "who",
        r"\bwho(?:se|m)?\b|\b(?:what|which) (?:person|man|woman|king|president|author|company"
        r"|organi[sz]ation)\b|\bwer\b|\bwem\b|\bqui\b|\bqui\u00e9n(?:es)?\b",
        r"(?<=[a-z,;(] )[A-Z][\w'\u2019-]+|^[A-Z][\w'\u2019-]+ [A-Z]\w+",
        _WEAK,
    ),
    _cue(
        "where",
        r"\bwhere\b|\b(?:what|which) (?:city|country|state|place|region|town|continent"
        r"|river)\b|\bwo\b|\bd\u00f3nde\b",
        r"\b(?:[Ii]n|[Aa]t|[Nn]ear|[Ff]rom|to|of|through|across|dans|\u00e0|en)(?: the)? [A-Z]",
    ),
    _cue(
        "why",
        r"\bwhy\b|\bwhat (?:caused|reason)|\bwarum\b|\bwieso\b|\bpourquoi\b|\bpor qu\u00e9\b"
        r"|\u4e3a\u4ec0\u4e48|\u70ba\u4ec0\u9ebc|\u306a\u305c",
        r"\b(?i:because|due to|in order to|so that|since|therefore|caused?|reasons?|result"
        r"|to (?:avoid|prevent|protect|ensure|make|help)|weil|damit|denn|parce que|car|porque)\b"
        r"|\u56e0\u4e3a|\u56e0\u70ba|\u304b\u3089",
    ),
    _cue(
        "contact",
        r"\b(?:phone|telephone|hotline|call|fax|e-?mail|contact|website|link|url|telefon\w*|t\u00e9l\u00e9phone"
        r"|tel\u00e9fono)\b|\u7535\u8bdd|\u96fb\u8a71|\u90ae\u7bb1",
        r"\+?\d[\d ()/.-]{5,}\d|\S@\w|https?://|www\.",
    ),
    _cue(
        "how",
        r"\bhow (?:do|can|to|should|would|could|must|does one)\b|\bwhat (?:can|should|must|do) (?:i|we) do\b"
        r"|\bwie (?:kann|muss|soll|mache)\b|\bcomment\b|\bc\u00f3mo\b|\u600e\u4e48|\u5982\u4f55",
        r"^(?:\W|\d)*(?:To|Use|Go|Click|Open|Select|Choose|Try|Set|Run|Adjust|Add|Enter|Make|Write|Call"
        r"|Send|Contact|Follow|Create|Install|If|You) |\b(?:you (?:can|must|may|should|need|will)|by \w+ing"
        r"|use (?:the|a))\b",
        _WEAK,
    ),
    _cue(
        "whether",
        r"^\W*(?:is|are|am|do|does|did|can|could|may|must|should|will|would|has|have|if)\b",
        r"\b(?i:not|no|never|cannot|\w+n['\u2019]t|only|unless|must|may|can|allowed|required|regardless"
        r"|also|even|automatically|yes)\b",
        _WEAK,
    ),
]
_CODE = re.compile(
    r"\b(?:commands?|code|snippets?|examples?|syntax|scripts?|query|queries|sql|regex|function"
    r"|befehle?|beispiele?|commandes?|exemples?|comandos?|ejemplos?|shell|terminal|curl|cli"
    r"|how (?:do|can|could|should|would|to)\b.{0,40}?\b(?:run|install|start|configure|set|call"
    r"|create|build|import|use|enable|send|write|get|add|remove|delete|reset|check|find|list))\b"
    r"|\u547d\u4ee4|\u4ee3\u7801|\u793a\u4f8b|\u30b3\u30de\u30f3\u30c9|\u30b3\u30fc\u30c9|\u4f8b",
    re.I,
)


def cue_of(question: str) -> Cue | None:
    return next((cue for cue in _CUES if cue.asks.search(question)), None)


def shows(cue: Cue, text: str, question: str) -> bool:
    """What the question itself says is no answer to it."""
    asked = question.casefold()
    return any(found[0].casefold() not in asked for found in cue.shows.finditer(text))


def asks_for_code(question: str) -> bool:
    """For a command, an example, or how something is done that is done by typing."""
    return _CODE.search(question) is not None
