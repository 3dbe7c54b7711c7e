"""Which kind of value a question asks for, and where such values stand in a sentence.

A question « quand » wants a date, « combien de temps » a duration: a sentence without one seldom answers.
Grammar of French (and English) questions only; no word of any organisation stands here.
"""

import difflib
import re
from enum import StrEnum
from functools import lru_cache

from index import french


class Kind(StrEnum):
    """What a question asks for."""

    DATE = "date"
    DURATION = "duration"
    MONEY = "money"
    NUMBER = "number"
    PLACE = "place"
    NAME = "name"
    CONTACT = "contact"
    REASON = "reason"
    DEFINITION = "definition"
    OTHER = "other"


# On folded text; the first that matches wins.
ASKS: tuple[tuple[Kind, str], ...] = (
    (Kind.DATE, r"\b(depuis combiens? de (temps|jours|mois|annees)|how long ago|since when)\b"),
    (Kind.CONTACT, r"\b(telephone|tel|numero (de|vert)|courriel|e?-?mails?|adresse|joindre|contacter|phone)\b"),
    (Kind.MONEY, r"\b(budget|montants?|prix|tarifs?|couts?|cout(e|ent|er|ait|aient|era)|salaires?|subventions?|how much|cost"
                 r"|combiens? d'(argent|euros)|combien (de|en) (dollars|dirhams)|a paye combien)\b"),
    (Kind.DURATION, r"\b(combiens? de (temps|jours|heures|mois|semaines|annees)|durees?|dur(e|ent|aient|era|ait)|how long)\b"),
    (Kind.DATE, r"\b(quand|kan|qd|when|dates?|(quelles?|quels?|en quelle|what) (annees?|jours?|mois|epoques?|siecles?|year)"
                r"|depuis quand|a quel moment)\b"),
    (Kind.NUMBER, r"\b(combiens?|cb|nombre|how many|quel (age|pourcentage|taux|chiffre)|quelle (part|proportion|quantite))\b"),
    (Kind.PLACE, r"(\b(c|c'est|c'etait) ou\b|\bou\b(?! (bien|non)\b)(?=.*\?|\s+(est|sont|ont|a|se|etait|etaient|s)\b|$)|\bwhere\b"
                 r"|\b(dans |en |a |de )?quel(le)?s? (villes?|pays|lieux?|endroits?|regions?|continents?|city|cities)\b"
                 r"|\b(villes|lieux?)\b)"),
    (Kind.REASON, r"\b(pourquoi|pk|pq|why|pour quelles? raisons?|dans quel but|quel(le)?s? (est|etait|etaient|sont) (le|la|les) "
                  r"(but|objectif|raison|cause)s?)\b"),
    (Kind.DEFINITION, r"(\bqu'? ?est[- ]ce que?\b(?! (l|la|le|les) .*\b(fait|font|a|ont)\b)|\bc'? ?est quoi\b|\bque (signifie|veut dire|designe)\b"
                      r"|\bwhat (is|are|does .* (mean|stand for))\b|\bque veut dire\b|\bsignification\b|\bsigle\b)"),
    (Kind.NAME, r"\b(qui|who|whom|quel(le)?s? (organismes?|organisations?|institutions?|personnes?|auteurs?|ministeres?|partenaires?"
                r"|bailleurs?|projets?|programmes?|entreprises?|roi|reine|president|acteurs?|nom)|noms?|s'appel\w+)\b"),
)  # fmt: skip

MONTH = r"(?:janvier|février|fevrier|mars|avril|mai|juin|juillet|août|aout|septembre|octobre|novembre|décembre|decembre)"
WORD_NUMBER = (
    r"(?:deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|vingt|trente"
    r"|quarante|cinquante|soixante|cent|cents|mille|million|millions|milliard|milliards|dizaine|douzaine|centaine"
    r"|dizaines|centaines|milliers|moitié|tiers|quart|plusieurs)"
)
NUMBER = rf"(?:\d+(?:[   .,]\d+)*(?: ?%)?(?:[  ](?:millions?|milliards?|mille))?|\b{WORD_NUMBER}(?:[- ](?:et[- ])?{WORD_NUMBER})*\b)"
UNIT = r"(?:minutes?|heures?|jours?|journées?|semaines?|mois|ans?|années?|siècles?|décennies?)"
CURRENCY = r"(?:euros?|€|dollars?|\$|dirhams?|MAD|DH|francs?|livres?|£|yens?|roubles?)"
UPPER = r"A-ZÀÂÇÉÈÊËÎÏÔÖÛÜŒ"
WORD = rf"[{UPPER}][\w’'-]*"
LINK = r"(?:de la|de l’|de l'|des|du|de|d’|d'|et des|et de la|et de|et|aux|à la|à l’|en|pour les|pour|la|les)"
PROPER = rf"(?:«\s?[^»]{{3,160}}\s?»(?:\s\([A-Z]{{2,}}\))?|{WORD}(?:[\s’'](?:{LINK}[\s’']?)?{WORD})*(?:\s\([A-Z]{{2,}}\))?)"

VALUES: dict[Kind, re.Pattern[str]] = {
    Kind.DATE: re.compile(
        rf"(?:(?:du|le|au|entre le|depuis|fin|début|en|vers|dès)\s)?(?:\d{{1,2}}(?:er)?(?:\s?(?:au|et|-|–)\s?(?:le )?\d{{1,2}}(?:er)?)?\s{MONTH}(?:\s\d{{3,4}})?"
        rf"|{MONTH}\s(?:de )?\d{{3,4}}|depuis\s{NUMBER}\s{UNIT}|\b(?:1\d{{3}}|20\d{{2}})(?:-\d{{2}}){{0,2}}\b|[XVI]+e siècle|\d{{1,2}}/\d{{1,2}}/\d{{2,4}})", re.I),
    Kind.DURATION: re.compile(rf"(?:{NUMBER}\s{UNIT}(?: et demie?)?|{UNIT}\s{NUMBER})", re.I),
    Kind.MONEY: re.compile(rf"{NUMBER}\s?(?:d’|d'|de )?(?:\w+ )?{CURRENCY}", re.I),
    Kind.NUMBER: re.compile(rf"(?:(?:plus|moins|près|environ) (?:de |d’)?)?{NUMBER}(?:\s(?!et\b|ou\b|de\b|en\b|du\b|à\b)[\w’-]{{3,}})?", re.I),
    Kind.PLACE: re.compile(
        rf"\b(?:à|À|au|Au|aux|Aux|en|En|dans|Dans|vers|près de)\s(?:la |le |les |l’)?[{UPPER}][\w-]+"
        rf"(?:[-\s](?:sur|en|les|la|le|de|du)?[-\s]?[{UPPER}][\w-]+)*"
        rf"|\b(?:villes|pays|régions|lieux|endroits)\s:\s(?P<list>{WORD}(?:(?:,| et)\s{WORD})*)"
    ),
    Kind.NAME: re.compile(PROPER),
    Kind.CONTACT: re.compile(r"(?:https?://\S+|\b[\w.+-]+@[\w-]+\.\w+|(?:\+|\b0)\d[\d .-]{7,}|\b\d{1,4},? (?:rue|avenue|boulevard|place|allée)\b.*)"),
    Kind.REASON: re.compile(r"\b(?:afin (?:de|d’|que)|pour|parce qu|car |en raison|grâce|à cause|puisqu|dans le but|objectif|vise|permet|en vue)\b.*", re.I),
    Kind.DEFINITION: re.compile(r"\b(?:est|sont|était|étaient|désigne|désignent|veut dire|veulent dire|signifie|signifient|consiste|correspond|représente|regroupe)\b.*", re.I),
}  # fmt: skip

SEVERAL = re.compile(
    r"\b(quels|quelles|lesquels|lesquelles|les|liste|citez|quoi et|which|what are|ou et quand|quand et ou|et quand|et ou)\b"
)


QUESTION_WORDS = ("combien", "pourquoi", "quand", "quelle", "quelles", "quels")


def _spelled(question: str) -> str:
    """The folded question with its question words spelled right: « combiens », « pourqoi », « qaund »."""
    folded = french.fold(question)
    for word in french.words(folded):
        if len(word) > 4 and not french.is_stop_word(word) and not french.is_known(word):
            for right in difflib.get_close_matches(word, QUESTION_WORDS, 1, 0.8):
                folded = folded.replace(word, right)
    return folded


@lru_cache(maxsize=1000)
def kind_of(question: str) -> Kind:
    """The kind of value a question asks for; OTHER when its words do not tell."""
    folded = _spelled(question)
    return next((kind for kind, pattern in ASKS if re.search(pattern, folded)), Kind.OTHER)


FOCUS = re.compile(
    r"\b(?:quels?|quelles?|what)\b(?:\W+(?:est|sont|etait|etaient|a|ont|ete|is|are|was|were|the|l|le|la|les|d|de|du|des|deux|trois|quatre|cinq|six|"
    r"two|three|four|five|different\w*|principa\w*|main))*"
    r"\W+(\w{3,})|\bcombiens? (?:de |d')(\w{3,})|\bhow many (\w{3,})"
)


def focus(question: str) -> str:
    """The folded noun that the question is after (« budget » in « quel est le budget »), or ""."""
    found = FOCUS.search(french.fold(question))
    return next((g for g in found.groups() if g), "") if found else ""


def class_words(question: str) -> frozenset[str]:
    """Words that only name the kind asked for (« villes », « date »): a value covers them, not the word."""
    folded = french.fold(question)
    kind = kind_of(question)
    if kind in (Kind.OTHER, Kind.NAME):
        return frozenset()
    found = next((m for k, pattern in ASKS if k is kind and (m := re.search(pattern, folded))), None)
    return frozenset(french.words(found[0])) if found else frozenset()


def wants_several(question: str) -> bool:
    """Whether the question may have several answers (« quelles villes », « les bailleurs »)."""
    return bool(SEVERAL.search(french.fold(question)))


def values(kind: Kind, sentence: str, known_text: str) -> list[tuple[int, int]]:
    """The (start, end) spans of values of this kind in a sentence that are not known from the question."""
    pattern = VALUES.get(kind)
    if pattern is None:
        return []
    known = set(french.words(known_text))
    dates = [m.span() for m in VALUES[Kind.DATE].finditer(sentence)] if kind is Kind.NUMBER else []
    spans = []
    for found in pattern.finditer(sentence):
        start, end = found.span(found.lastgroup or 0)
        if any(start < b and a < end for a, b in dates):  # the 15 of « 15 février » counts nothing
            continue
        while end > start and not (sentence[end - 1].isalnum() or sentence[end - 1] in "»)%€$£"):
            end -= 1
        new = [w for w in french.words(sentence[start:end]) if w not in known and not french.is_stop_word(w)]
        if kind is Kind.DURATION or kind is Kind.NUMBER:
            new = new or [w for w in french.words(sentence[start:end]) if w.isdigit()]
        if new:
            spans.append((start, end))
    return spans
