"""What a pronoun or an ellipsis stands for: the phrase that was spoken of, from the question before and its answer."""

import re
from collections.abc import Callable

from bot.followups.noun_phrases import UPPER, NounPhrase, noun_phrases, singular
from index import french
from index.languages import is_english

WH = (
    r"(?:qui|ki|que|qu'|quoi|koi|quels?|quelles?|quel(?:le)?s|kel(?:le)?s?|quand|kan|qd|où|ou(?=\s)|pourquoi|pk|pq|comment"
    r"|combien|cb|lesquels|laquelle|lequel|lesquelles|who|what|which|where|when|how|why)"
)
WH_PHRASE = re.compile(
    rf"^\s*(?:(?:dans|en|à|a|de|d'|depuis|par|pour|avec|pendant|durant|sur|jusqu'à|chez|vers)\s?)?(?:{WH}(?:\s|(?<=')))"
    r"(?:(?:de\s|d')(?:autres?\s)?[\w-]+\s?|(?<=s\s)(?:[\w-]+\s)|(?<=l\s)(?:[\w-]+\s)|(?<=le\s)(?:[\w-]+\s)|(?:temps|lieu)\s)?(?:de\s(?:temps)\s)?(?:[a-zéè]+(?:iques?|ales?|aux)\s)?",
    re.I,
)  # fmt: skip
PREPOSITION = r"(?:à|a|au|aux|en|in|at|de|d'|du|pour|sur|chez|dans|of|for)"
SLOT = re.compile(
    rf"(?<!\w)(?P<prep>{PREPOSITION})(?:\s|(?<='))(?P<name>[{UPPER}][\w-]+)(?![\w-]|\s[{UPPER}])"
)
SLOT_AT_END = re.compile(
    rf"(?<!\w)(?P<prep>{PREPOSITION})(?:\s|(?<='))(?P<name>[\w-]{{3,}})(?=[\s?.!]*$)", re.I
)
MEANS = re.compile(r"\b(veut dire|signifie|d[ée]signe)\s(?:quoi|koi)\b", re.I)
THAT = re.compile(r"(?<![\w-])(?:[cç]a|cela|celui-ci|celui-là|celle-ci|celle-là|that)\b", re.I)
Rule = Callable[[str, str, str], str | None]


def topic(
    before: str, said: str, *, plural: bool | None, feminine: bool | None = None, known: str = ""
) -> NounPhrase | None:
    """What was spoken of: the phrase of the question before, or else the answer's subject, that agrees."""
    taken = set(french.words(known))
    asked = noun_phrases(before)
    heads = {singular(p.head) for p in asked if p.rank > -1 or p.named}
    answered = -1.0 if plural and re.match(r"\s*(?:qui|ki|who)\b", before, re.I) else 0.5
    phrases = [(p, 0.0) for p in asked]
    for p in noun_phrases(said[:200]) if not is_english(before) else []:
        if (not p.named or p.start <= 1) and singular(p.head) not in heads:
            same = any(
                singular(p.head) == singular(q.head) for q in asked
            )  # « quel projet », and which one it is
            tells = same and (p.start <= 1 or p.rank >= 1)
            phrases.append((p, 0.0 if tells else answered if p.start <= 1 else 1.5))
    phrases = [(p, b) for p, b in phrases if not set(french.words(p.core)) - {"de", "d", "l"} <= taken]
    if not phrases:
        words = [w for w in french.spans(before) if not french.is_stop_word(w[0]) and w[0] not in taken]
        if not words:
            return None
        core = before[words[-1][1] : words[-1][2]]
        return NounPhrase("", core, core, words[-1][1], words[-1][2], False, None, True, 0)

    def fits(pair: tuple[NounPhrase, float]) -> float:
        phrase, bonus = pair
        agrees = -4.0 * (plural is not None and phrase.plural != plural)
        if None not in (feminine, phrase.feminine):
            agrees += 1.0 if feminine == phrase.feminine else -2.5
        return phrase.rank + agrees - bonus

    return max(phrases, key=fits)[0]


def pronoun(who: str, before: str, said: str, known: str) -> str:
    """The phrase that « elle », « les », « leur »… stands for."""
    who = who.casefold()
    plural = who in (
        "ils",
        "elles",
        "les",
        "leur",
        "leurs",
        "eux",
        "ceux-ci",
        "celles-ci",
        "they",
        "their",
        "them",
        "these",
    )
    feminine = {"elle": True, "elles": True, "la": True, "il": False, "ils": None, "le": False}.get(who)
    if who == "ils":
        feminine = False
    found = topic(before, said, plural=plural, feminine=feminine, known=known)
    return found.text if found else ""


def own_subject(lead: str) -> bool:
    """Whether a phrase that can be the subject stands before the verb, after the words that ask."""
    left = WH_PHRASE.sub("", lead)
    return bool(noun_phrases(left) or re.search(rf"\b[{UPPER}]{{2,}}\b", left))
