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
    r"Jan(?:uary|uar|vier)?|Feb(?:ruary|ruar)?|février|März|March|Mar|mars|Apr(?:il)?|avril|May"
    r"|Mai|mai|June?|Juni|juin|July?|Juli|juillet|Aug(?:ust)?|août|Sept?(?:ember)?|septembre"
    r"|O[ck]t(?:ober)?|octobre|Nov(?:ember)?|novembre|De[cz](?:ember)?|décembre"
)


def _cue(name: str, asks: str, shown: str, worth: float = 1.0) -> Cue:
    return Cue(name, re.compile(asks, re.I), re.compile(shown), worth)


_WEAK = 0.3

# in the order of trial; English, with the words that begin such questions in other languages
_CUES = [
    _cue(
        "price",
        r"\bhow much (?:does|do|is|are|will|would|did|must|should)\b.*\b(?:cost|pay|charge)"
        r"|\bhow much (?:is|are|for)\b"
        r"|\b(?:costs?|prices?|fees?|priced|kostet|kosten|preise?|coûtent?|prix|cuesta|precio)\b"
        r"|多少钱|多少錢|价格|價格|いくら",
        r"[$\u20ac\u00a3\u00a5\u20b9]|\b\d[\d.,]*\s?(?:USD|EUR|GBP|CHF|dollars?|euros?|cents?|Euro"
        r"|pounds?|francs?)\b|\b(?:USD|EUR|GBP|CHF|Fr\.)\s?\d|\d\s?[元円圓]"
        r"|\b(?i:free|no charge|kostenlos|gratis|gratuite?)\b",
    ),
    _cue(
        "number",
        r"\bhow (?:many|much|old|long|far|large|big|tall|high|fast|often|deep|wide|soon|late)\b"
        r"|\b(?:percent|limit|maximum|minimum|deadline|number of)\b"
        r"|\bwhat (?:number|amount|size|age|population|temperature)\b"
        r"|\bwie(?: ?viele?|\s(?:lange|oft|hoch|groß|weit|alt))\b|\bcombien\b"
        r"|\bcuánt[oa]s?\b"
        r"|多少|多久|多长|几|何(?:分|日|個|人|回)",
        r"\d|\b(?i:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty"
        r"|fifty|dozens?|hundreds?|thousands?|[mb]illions?|half|third|quarter|percent|once|twice"
        r"|daily|weekly|monthly|yearly|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|deux|trois"
        r"|quatre|cinq|sept|huit|neuf|dix)\b|[一二三四五六七八九"
        r"十百千](?=[个天年月次人张小分至到十])",
    ),
    _cue(
        "date",
        r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|decade|century|time)\b"
        r"|\bwann\b|\bquand\b|\bcuándo\b|\bum wie ?viel uhr\b|\bquelle heure\b|什么时候|何时"
        r"|几点|いつ|何時",
        r"\b1\d{3}\b|\b20\d\d\b|\d0s\b|\b\d{1,2}[:.]\d\d\b|\b\d{1,2}\s?(?:[AaPp]\.?[Mm]\b|Uhr|h\b)"
        r"|(?i:\bcentury|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|mittwoch|\w{2,8}tags?\b)"
        rf"|\b(?:{_MONTHS})\b|[\d一二三四五六七八九十][年月日点時]",
    ),
    _cue(
        "who",
        r"\bwho(?:se|m)?\b|\b(?:what|which) (?:person|man|woman|king|president|author|company"
        r"|organi[sz]ation)\b|\bwer\b|\bwem\b|\bqui\b|\bquién(?:es)?\b",
        r"(?<=[a-z,;(] )[A-Z][\w'\u2019-]+|^[A-Z][\w'\u2019-]+ [A-Z]\w+",
        _WEAK,
    ),
    _cue(
        "where",
        r"\bwhere\b|\b(?:what|which) (?:city|country|state|place|region|town|continent"
        r"|river)\b|\bwo\b|\bdónde\b",
        r"\b(?:[Ii]n|[Aa]t|[Nn]ear|[Ff]rom|to|of|through|across|dans|à|en)(?: the)? [A-Z]",
    ),
    _cue(
        "why",
        r"\bwhy\b|\bwhat (?:caused|reason)|\bwarum\b|\bwieso\b|\bpourquoi\b|\bpor qué\b"
        r"|为什么|為什麼|なぜ",
        r"\b(?i:because|due to|in order to|so that|since|therefore|caused?|reasons?|result"
        r"|to (?:avoid|prevent|protect|ensure|make|help)|weil|damit|denn|parce que|car|porque)\b"
        r"|因为|因為|から",
    ),
    _cue(
        "contact",
        r"\b(?:phone|telephone|hotline|call|fax|e-?mail|contact|website|link|url|telefon\w*|téléphone"
        r"|teléfono)\b|电话|電話|邮箱",
        r"\+?\d[\d ()/.-]{5,}\d|\S@\w|https?://|www\.",
    ),
    _cue(
        "how",
        r"\bhow (?:do|can|to|should|would|could|must|does one)\b"
        r"|\bwhat (?:can|should|must|do) (?:i|we) do\b"
        r"|\bwie (?:kann|muss|soll|mache)\b|\bcomment\b|\bcómo\b|怎么|如何",
        r"^(?:\W|\d)*(?:To|Use|Go|Click|Open|Select|Choose|Try|Set|Run|Adjust|Add|Enter|Make|Write|Call"
        r"|Send|Contact|Follow|Create|Install|If|You) "
        r"|\b(?:you (?:can|must|may|should|need|will)|by \w+ing|use (?:the|a))\b",
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
_DONE_BY_TYPING = (
    "run|install|start|configure|set|call|create|build|import|use|enable|send|write|get|add|remove"
    "|delete|reset|check|find|list"
)
_CODE = re.compile(
    r"\b(?:commands?|code|snippets?|examples?|syntax|scripts?|query|queries|sql|regex|function"
    r"|befehle?|beispiele?|commandes?|exemples?|comandos?|ejemplos?|shell|terminal|curl|cli"
    rf"|how (?:do|can|could|should|would|to)\b.{{0,40}}?\b(?:{_DONE_BY_TYPING}))\b"
    rf"|^\W*(?:{_DONE_BY_TYPING})\b"
    r"|命令|代码|示例|コマンド|コード|例",
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
