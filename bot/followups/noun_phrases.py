"""Finds the noun phrases of a French question (and simple English ones), and joins them to prepositions.

Grammar and letters only: articles, links, capitals, endings. Knows nothing of any conversation.
"""

import re
from dataclasses import dataclass

from index import french

UPPER = "A-ZÀÂÇÉÈÊËÎÏÔÖÛÜŒ"
QUOTED = r"«[^»]{2,160}»"
NUMERAL = r"deux|trois|quatre|cinq|six|sept|huit|neuf|dix|\d+"
BEFORE_NOUN = rf"(?:{NUMERAL}|autres?|premi(?:er|ère|ere)s?|derni(?:er|ère|ere)s?|deuxi[eè]me|troisi[eè]me|princip\w+)\s"
ARTICLE = (
    r"l'\s?|l (?=[aeiouyhé])|(?:combien (?:y a(?:vait|-t)-il )?|cb )d(?:e\s|'|\s(?=[aeiouyhé]))"
    r"|(?:de la|le|la|les|un|une|des|du|au|aux|chaque|quels?|quelles?|the)\s|de l'"
    rf"|(?:{NUMERAL})\s(?=[a-zéè]{{4}})"
)
NAME = rf"(?!\w+-(?:t-)?(?:ils?|elles?|on|ce|vous|tu|moi)\b)[{UPPER}][\w-]*(?:(?:\s|\s(?:des|du|de la|de|pour les|et)\s|\s(?:l|d)')(?!\w+-(?:t-)?(?:ils?|elles?|on|ce)\b)[{UPPER}][\w-]*)*"
LINK = (
    r"(?:de la|des|du|de|pour les|pour la|pour|sur les|sur la|sur|aux|au|à la|à|a(?!\s(?:[ée]t[ée]|eue?s?|pour|\w+ée?s?)\b)|en|of|for|in)\s"
    r"|(?:de l|à l|d|pour l|sur l)'"
)
ADJECTIVE = (
    r"(?!elles?\b|quelles?\b)[a-zàâçéèêëîïôöûü]+(?:iques?|ales?|aux|elles?|ives?|ifs?|aires?|ées?|és)\b"
)
PHRASE = re.compile(
    rf"(?<![\w'-])(?=(?P<article>(?i:{ARTICLE}))?(?P<core>{QUOTED}|(?P<lead>(?i:{BEFORE_NOUN})*)[\w-]+)"
    rf"(?P<rest>(?:\s(?:{QUOTED})|\s{ADJECTIVE}|\s(?:{LINK})(?:{QUOTED}|{NAME}|[\w-]+\b(?!'))|\s{NAME})*))"
)
AFTER_ARTICLE = re.compile(r"(?<!\w)(?:le|la|les|un|une|du|des|au|aux|the)\s$", re.I)
CLITIC_BEFORE = re.compile(r"\b(?:qui|ki|ne|je|tu|il|elle|on|nous|vous|ils|elles)\s$", re.I)
APPOSED = re.compile(rf"[\w-]+\s[{UPPER}«]")  # « projet COMPASS »
AT_PLACE = re.compile(r"\b(?:à|a|au|aux|en|in|at|dans)\s$", re.I)
COMPLEMENT = re.compile(r"(?:\b(?:de|d'|du|des|of|à|pour|sur|en)\s|'\s?)$", re.I)
ASKED_FOR = re.compile(r"\bquel(?:le)?s?\s(?:est|sont|[ée]tai(?:en)?t)\s$", re.I)
FEMININE = re.compile(
    r"(?:ions?|tés?|[ée]es?|ences?|ances?|ures?|udes?|ises?|ettes?|elles?|illes?|onnes?|ates?|iques?|ières?)$"
)
MONTHS = r"(?:janvier|f[ée]vrier|mars|avril|mai|juin|juillet|ao[uû]t|septembre|octobre|novembre|d[ée]cembre)"
NEUTRAL = frozenset(
    "nom sigle terme mot acronyme chose exemple question reponse fait partie cadre lieu temps total plus moins cas fois jours mois ans annees semaines heures".split()
)


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """« la formation de Rabat », with a definite article, and where it stands in its sentence.

    `article` and `core` make `text`; `feminine` is None when neither article nor ending tells.
    `rank` is how likely it is the topic: a name high, a place or the noun asked for low.
    """

    article: str
    core: str
    head: str
    start: int
    end: int
    plural: bool
    feminine: bool | None
    named: bool
    rank: float

    @property
    def text(self) -> str:
        return self.article + self.core

    @property
    def noun(self) -> str:
        """The head in the singular, as it is spelt."""
        return next(
            (singular(w) for w in re.findall(r"[\w-]+", self.core) if french.fold(w) == self.head), self.head
        )


def straight(text: str) -> str:
    """The text with typewriter apostrophes, which the patterns here expect."""
    return re.sub("[’ʼ`´]", "'", text)


def noun_phrases(text: str) -> list[NounPhrase]:
    """Every noun phrase of a text, in order; one inside another comes after it."""
    found = []
    for match in PHRASE.finditer(text):
        article = (match["article"] or "").casefold().strip()
        core = match["core"] + match["rest"]
        head = french.fold(match["core"][len(match["lead"] or "") :]).strip(" «»\u00a0")
        capital = match["core"][0] in "«" or match["core"][0].isupper()
        start, end = match.start(), match.end("rest")
        at_start = not text[:start].strip(" «\u00a0")
        acronym = match["core"].isupper() and len(match["core"]) > 1
        if not article and not (capital and (acronym or not at_start or match["core"][0] == "«")):
            continue
        if re.fullmatch(MONTHS, head) or head[:1].isdigit():
            continue
        if not head or french.is_stop_word(head.split()[0]) or head in NEUTRAL:
            continue
        if not article and AFTER_ARTICLE.search(text[:start]):  # it is the phrase before, without its article
            continue
        if article in ("le", "la", "les", "l'") and CLITIC_BEFORE.search(text[:start]):
            continue
        asked = (
            1.0
            if article.startswith(("quel", "combien", "cb"))
            else 0.25
            if ASKED_FOR.search(text[:start])
            else 0.0
        )
        plural = _plural(article, head, capital)
        feminine = _feminine(article, match["core"][len(match["lead"] or "") :].casefold())
        place = (not article and bool(AT_PLACE.search(text[:start]))) or (article in ("au",) and capital)
        inner = not article and bool(COMPLEMENT.search(text[:start]))
        rank = (
            (1.0 if capital or APPOSED.match(core) else 0.5 * any(c.isupper() for c in core))
            - asked
            - 3 * place
            - 2 * inner
        )
        found.append(
            NounPhrase(
                _definite(article, head, plural, feminine, capital), core, head.split()[0],
                start, end, plural, feminine, capital, rank,
            )
        )  # fmt: skip
    return found


def _plural(article: str, head: str, named: bool) -> bool:
    if article in ("les", "des", "aux", "quels", "quelles") or article.startswith(("combien", "cb")):
        return True
    if re.fullmatch(NUMERAL, article):
        return True
    return article == "the" and head.endswith("s") and not named


def _feminine(article: str, head: str) -> bool | None:
    if article in ("la", "une", "de la", "quelle", "quelles"):
        return True
    if article in ("le", "un", "du", "au", "quel", "quels"):
        return False
    if article in ("l'", "l", "de l'", "the", ""):
        return None
    return True if FEMININE.search(head) else None if head.endswith(("e", "es")) else False


def _definite(article: str, head: str, plural: bool, feminine: bool | None, named: bool) -> str:
    """The definite article that a phrase takes elsewhere, with its space: « aux » becomes « les »."""
    if article in ("", "chaque") or (article == "the" and not named):
        return article + " " * bool(article)
    if article == "the":
        return ""
    if plural:
        return "les "
    if article in ("l'", "l", "de l'") or (head[0] in "aeiouh" and not named and article in ("un", "une")):
        return "l'"
    return "la " if feminine else "le "


def singular(noun: str) -> str:
    """The noun without its plural ending."""
    return noun[:-1] if noun.endswith("s") and not noun.endswith(("ss", "pays", "us")) else noun


def article_for(noun: str, feminine: bool | None) -> str:
    """« la  », « le  » or « l' » for a singular noun."""
    if french.fold(noun)[:1] in "aeiouyh":
        return "l'"
    return "la " if (FEMININE.search(noun.casefold()) if feminine is None else feminine) else "le "


def joined(preposition: str, phrase: str) -> str:
    """« de » and « les projets » as « des projets »; « à » and « le » as « au »."""
    contracted = {"de le ": "du ", "de les ": "des ", "à le ": "au ", "à les ": "aux "}
    whole = f"{preposition} {phrase}"
    for pair, short in contracted.items():
        if whole.casefold().startswith(pair):
            return short + whole[len(pair) :]
    return whole
