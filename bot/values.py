"""French text as comparable tokens: words without accents, numbers and dates as values. Knows no cases.

A fact matches a text when the fact's tokens stand side by side in the text, each in agreement.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

UNITS = ["zero", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"]
TEENS = ["dix", "onze", "douze", "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"]
TENS = ["vingt", "trente", "quarante", "cinquante"]
MONTHS = (
    *("janvier", "fevrier", "mars", "avril", "mai", "juin"),
    *("juillet", "aout", "septembre", "octobre", "novembre", "decembre"),
)


@dataclass(frozen=True, slots=True)
class Day:
    """A date as far as it is told: `None` is untold. `day` in 1..31, `month` in 1..12, `year` four digits."""

    day: int | None = None
    month: int | None = None
    year: int | None = None

    def within(self, other: "Day") -> bool:
        """Whether `other` tells all that this date tells."""
        return all(
            mine in (None, theirs)
            for mine, theirs in ((self.day, other.day), (self.month, other.month), (self.year, other.year))
        )


@dataclass(frozen=True, slots=True)
class Span:
    """From one day to another; a single day has equal ends."""

    first: Day
    last: Day


Token = str | Span  # a word, a number in digits, « % », or dates


def tokens(text: str) -> tuple[Token, ...]:
    """Cut `text` into comparable tokens.

    Case, accents, ligatures, kinds of space, apostrophe and dash, elided words (« l' », « d' ») and
    articles do not count. « soixante-dix » and « 70 » give "70"; « 15 au 17 février 2022 »,
    « 15-17/02/2022 » and « 2022-02-15/2022-02-17 » give one equal Span. « un » alone is an article.
    """
    plain = ELIDED.sub(" ", _plain(text))
    found: list[Token] = []
    position = 0
    for match in DATES.finditer(plain):
        span = _span(match)
        if span:
            found += _words(plain[position : match.start()])
            found.append(span)
            position = match.end()
    return tuple(found + _words(plain[position:]))


def holds(text: str, fact: str) -> bool:
    """Whether `text` states `fact`: its tokens side by side, in order. An empty fact is never stated.

    A date in the fact agrees with one that tells at least as much: « février 2022 » is stated by
    « du 15 au 17 février 2022 », not the other way round; a single day also by a range's two ends.
    """
    wanted, given = tokens(fact), tokens(text)
    return bool(wanted) and any(
        all(agree(w, g) for w, g in zip(wanted, given[i : i + len(wanted)], strict=True))
        for i in range(len(given) - len(wanted) + 1)
    )


def agree(wanted: Token, given: Token) -> bool:
    """Whether a token of a text states one that is looked for; a date may tell more than is asked."""
    if isinstance(given, str):
        return wanted == given
    if isinstance(wanted, str):  # a year alone
        return wanted.isdigit() and int(wanted) in (given.first.year, given.last.year)
    if wanted.first == wanted.last:
        return wanted.first.within(given.first) or wanted.first.within(given.last)
    return wanted.first.within(given.first) and wanted.last.within(given.last)


def _plain(text: str) -> str:
    """Lower case without accents; every space is « », every apostrophe « ' », every dash « - »."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in folded if not unicodedata.combining(c))
    bare = re.sub("[’ʼ‘`´]", "'", re.sub("[‐‑‒–—−]", "-", bare))
    return re.sub(r"\s+", " ", bare.replace("œ", "oe").replace("æ", "ae"))


ELIDED = re.compile(r"\b(?:[cdjlmnst]|(?:lors|puis|jus)?qu)'")
ARTICLES = frozenset(["le", "la", "les", "un", "une", "des", "du", "de"])

# --- numbers -----------------------------------------------------------------------------------------


def _below_hundred() -> dict[str, int]:
    """0 to 99 as French writes them (with the Belgian and Swiss septante, huitante, octante, nonante)."""
    names = {name: value for value, name in enumerate(UNITS + TEENS)}
    names["une"] = 1
    tens = {name: 10 * value for value, name in enumerate(TENS, start=2)}
    tens |= {"soixante": 60, "septante": 70, "huitante": 80, "octante": 80, "nonante": 90}
    for name, value in tens.items():
        names[name] = value
        names |= {f"{name} {unit}": value + i for i, unit in enumerate(UNITS) if i > 1}
        names |= {f"{name} et un": value + 1, f"{name} et une": value + 1}
    names |= {f"soixante {teen}": 70 + i for i, teen in enumerate(TEENS)} | {"soixante et onze": 71}
    names |= {"quatre vingts": 80, "quatre vingt": 80, "quatre vingt une": 81}
    names |= {f"quatre vingt {name}": 80 + i for i, name in enumerate(UNITS + TEENS) if i > 0}
    return {name.replace("-", " "): value for name, value in names.items()}


SMALL = _below_hundred()
_SMALL = "(?:" + "|".join(sorted(SMALL, key=len, reverse=True)) + r")\b"
_CENT = rf"(?:(?:{'|'.join(UNITS[2:])}) )?cents?\b(?: {_SMALL})?"
_HUNDREDS = rf"(?:{_CENT}|{_SMALL})"
NUMBER_WORDS = re.compile(rf"\b(?:(?:{_HUNDREDS} )?mille\b(?: {_HUNDREDS})?|{_HUNDREDS})")
GROUPED = re.compile(r"\b\d{1,3}(?: \d{3})+\b")
PIECES = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+|%")


def _words(plain: str) -> list[Token]:
    digits = GROUPED.sub(lambda m: m[0].replace(" ", ""), plain).replace("-", " ")
    digits = re.sub(r"\bpour cent\b", "%", re.sub(r"\s+", " ", digits))
    digits = NUMBER_WORDS.sub(_digits, digits)
    return [_number(piece) for piece in PIECES.findall(digits) if piece not in ARTICLES]


def _number(piece: str) -> str:
    return f"{Decimal(piece.replace(',', '.')).normalize():f}" if piece[0].isdecimal() else piece


def _digits(match: re.Match[str]) -> str:
    return match[0] if match[0] in ARTICLES else str(_value(match[0]))


def _value(name: str) -> int:
    """The value of number words, 0 to 999 999."""
    for word, scale in (("mille", 1000), ("cents", 100), ("cent", 100)):
        before, found, after = f" {name} ".partition(f" {word} ")
        if found:
            return (_value(before.strip()) if before.strip() else 1) * scale + _value(after.strip() or "zero")
    return SMALL[name]


# --- dates -------------------------------------------------------------------------------------------

# « sept » is a number here: it is not taken for September.
_SHORT = ["janv", "fevr", "fev", "avr", "juil", "oct", "nov", "dec"]
_MONTH = "(?:" + "|".join(sorted([*MONTHS, *_SHORT], key=len, reverse=True)) + ")"
_D = r"(?:\d{1,2}|1er|premier)"


def _single(n: int) -> str:
    """One date, its groups numbered `n`: ISO, 15/02/2022, 15 février (2022), février (2022)."""
    return (
        rf"(?:(?P<iso{n}>\d{{4}}-\d{{2}}-\d{{2}})|(?P<num{n}>\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{4}}|\d{{2}}/\d{{2}})"
        rf"|(?:(?P<d{n}>{_D}) )?(?P<m{n}>{_MONTH})\b\.?(?: (?P<y{n}>\d{{4}})\b)?)"
    )


_TO = r"(?: ?[-/] ?| (?:jusqu')?(?:au|a|et)(?: le)? )"
DATES = re.compile(rf"(?<![\w/-])(?:(?:(?P<from>{_D})|{_single(1)}){_TO})?{_single(2)}(?![\w/]|-\d)")


def _span(match: re.Match[str]) -> Span | None:
    """The dates of a match, what the first leaves untold taken from the last; None if no such day."""
    last = _day(match, 2)
    if not any(match[name] for name in ("from", "iso1", "num1", "m1")):
        return Span(last, last) if last else None
    first = Day(_day_number(match["from"])) if match["from"] else _day(match, 1)
    if not first or not last or not _real(first):
        return None
    return Span(Day(first.day, first.month or last.month, first.year or last.year), last)


def _day(match: re.Match[str], n: int) -> Day | None:
    day: Day | None = None
    if iso := match[f"iso{n}"]:
        year, month, number = (int(part) for part in iso.split("-"))
        day = Day(number, month, year)
    elif numeric := match[f"num{n}"]:
        parts = [int(part) for part in re.split("[/.]", numeric)]
        day = Day(parts[0], parts[1], parts[2] if len(parts) > 2 else None)
    elif name := match[f"m{n}"]:
        month = next(i for i, full in enumerate(MONTHS, start=1) if full.startswith(name))
        day = Day(
            _day_number(match[f"d{n}"]) if match[f"d{n}"] else None,
            month,
            int(match[f"y{n}"]) if match[f"y{n}"] else None,
        )
    return day if day and _real(day) else None


def _day_number(text: str) -> int:
    return 1 if text in ("1er", "premier") else int(text)


def _real(day: Day) -> bool:
    return (day.day is None or 1 <= day.day <= 31) and (day.month is None or 1 <= day.month <= 12)
