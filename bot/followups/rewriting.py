"""Rewrites a French question that leans on the one before it into one that stands alone.

Deterministic grammar of French, and a little English; knows no organisation and keeps no state.
"""

import re
from functools import lru_cache

from bot.followups.antecedents import WH
from bot.followups.ellipsis import completed, filled, is_bare
from bot.followups.noun_phrases import straight
from bot.followups.pronouns import PRONOUNS
from bot.followups.references import REFERENCES
from index import french
from index.languages import is_english

OPENER = re.compile(
    r"^\s*(?:(?:et|mais|ok|okay|oui|d'accord|and|but|sinon|alors|donc|bon|dont|du coup|ah|euh)\b[ ,]*)+", re.I
)
SAME_FOR = re.compile(
    r"^(?:(?:qu'en est-il|quid|qu'en est il|c'est pareil|pareil|m[eê]me (?:question|chose)|idem|(?:what|how) about|concernant|quant|[àa] propos)\b"
    r"[ ,]*(?:(?:de|pour|à|avec)\s(?!la\b|l')|d'|(?=(?:du|des|au|aux)\s))?|(?:eux|elles|lui|elle),\s)(?=\S)",
    re.I,
)
TRAILING = re.compile(
    r"(?:[\s,]+(?:alors|aussi|else|du coup|stp|svp|please|too|then|hein))+(?=[\s?.!]*$)", re.I
)
CORRECTION = re.compile(
    r"^\s*(?:(?:non|nan|pardon|d[ée]sol[ée]e?|oups|excuse[zr]?(?:-moi| moi)?|erreur|au temps pour moi|je me (?:suis )?tromp\w+|enfin|plut[oô]t|sorry|no|mais)\b[ ,.!:]*)*"
    r"(?:(?:je|j')\s?(?:(?:parle|parlais|veux parler|voulais parler|pensais|demandais)\s(?:(?:plut[oô]t )?(?:de|d'|du|à|a)\s?)?|(?:voulais|veux) dire\s|demande\s)"
    r"|i mean\s|i meant\s)?(?:pour\s(?=(?-i:[A-Z])))?", re.I)  # fmt: skip
INSTEAD = re.compile(
    r"^(?:(?:ce n'est |c'est )?pas\s(?:[^,?]{2,60}?),?\s*(?:,|mais)\s*(?:c'est )?|c'(?:est|[ée]tait) (?=(?-i:[A-Z])))",
    re.I,
)
ASKS = re.compile(
    rf"(?<!autres )\b{WH}(?:\b|(?<='))|\best-ce\b|\bc'?\s?(?:est|[ée]tait)\b|-t-|-(?:il|elle|on|ils|elles|tu|vous|moi|nous)\b"
    r"|^\s*(?:parle|dis|explique|pr[ée]sente|donne|cite|liste|d[ée]cris|tell|list|give)\w*\b", re.I)  # fmt: skip
QUEL = re.compile(r"^quel(?:le)?s?(?= (?:est|était) (?P<article>le|la) )", re.I)
HAS_SUBJECT = re.compile(
    r"\s*(?:ils?|elles?|they|it|[cç]a)\s\w", re.I
)  # « Elle fait partie de l'ONU ? » has a verb
ORDER = re.compile(
    r"\s*(?:parle|dis|explique|pr[ée]sente|donne|cite|liste|d[ée]cris|tell|list|give)\w*\b", re.I
)


@lru_cache(maxsize=4096)  # a conversation is read anew at each turn
def rewrite(text: str, before: str, said: str = "") -> str:
    """`text` as it stands alone, after the standalone question `before` and its answer `said`."""
    if not before:
        return text
    plain = straight(text).strip()
    rest = TRAILING.sub("", OPENER.sub("", plain))
    opened = rest != plain
    same = SAME_FOR.sub("", rest)
    rest, opened = same, opened or same != rest
    corrected = INSTEAD.sub("", CORRECTION.sub("", rest))
    if corrected != rest and corrected.strip(" ?.!"):
        rest, opened = corrected, True
    rest = rest.strip(" ?.!\u00a0,")
    if not rest:
        return before
    before = straight(before).rstrip(" ?.!\u00a0")
    said = straight(said)
    changed = rest
    for rule in REFERENCES:
        changed = rule(changed, before, said) or changed
    for step in PRONOUNS:
        if found := step(changed, before, said):
            changed = found
            break
    asking = ASKS.search(changed) or HAS_SUBJECT.match(rest)
    if not asking and (opened or changed != rest or is_bare(changed)):
        return _tidy(filled(changed, before, said))
    if changed == rest and asking and (found := completed(changed, before, said, plain, opened)):
        return _tidy(found)
    if changed != rest:
        return _tidy(changed)
    return _tidy(rest) if opened and french.terms(rest) else text


def _tidy(text: str) -> str:
    """One sentence of French: a capital first, curly apostrophes, a question mark after a no-break space."""
    text = re.sub(r"\s+(?=[,.])", "", " ".join(text.split())).strip(" ?!.,").replace("'", "’")
    text = QUEL.sub(lambda m: {"le": "quel", "la": "quelle"}[m["article"].casefold()], text)
    end = "." if ORDER.match(text) else "?" if is_english(text) else "\u00a0?"
    return f"{text[:1].upper()}{text[1:]}{end}" if text else text
