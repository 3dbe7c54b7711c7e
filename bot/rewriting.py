"""Rewrites a French question that leans on the one before it into one that stands alone.

Deterministic grammar, each rule a function that gives the new question or None: pronouns, possessives,
demonstratives, ordinals, ellipsis, correction. Knows no organisation and keeps no state.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from bot.noun_phrases import (
    QUOTED,
    UPPER,
    NounPhrase,
    article_for,
    joined,
    noun_phrases,
    singular,
    straight,
)
from index import french

OPENER = re.compile(
    r"^\s*(?:(?:et|mais|ok|okay|oui|d'accord|and|but|sinon|alors|donc|bon|dont|du coup|ah|euh)\b[ ,]*)+", re.I
)
SAME_FOR = re.compile(
    r"^(?:(?:qu'en est-il|quid|qu'en est il|c'est pareil|pareil|m[eê]me (?:question|chose)|idem|(?:what|how) about|concernant|quant|[àa] propos)\b"
    r"[ ,]*(?:(?:de|pour|à|avec)\s(?!la\b|l')|d'|(?=(?:du|des|au|aux)\s))?|(?:eux|elles|lui|elle),\s)(?=\S)",
    re.I,
)
TRAILING = re.compile(r"(?:[\s,]+(?:alors|aussi|du coup|stp|svp|please|too|then|hein))+(?=[\s?.!]*$)", re.I)
CORRECTION = re.compile(
    r"^\s*(?:(?:non|nan|pardon|d[ée]sol[ée]e?|oups|excuse[zr]?(?:-moi| moi)?|erreur|au temps pour moi|je me (?:suis )?tromp\w+|enfin|plut[oô]t|sorry|no|mais)\b[ ,.!:]*)*"
    r"(?:(?:je|j')\s?(?:(?:parle|parlais|veux parler|voulais parler|pensais|demandais)\s(?:(?:plut[oô]t )?(?:de|d'|du|à|a)\s?)?|(?:voulais|veux) dire\s|demande\s)"
    r"|i mean\s|i meant\s)?(?:pour\s(?=(?-i:[A-Z])))?", re.I)  # fmt: skip
INSTEAD = re.compile(
    r"^(?:(?:ce n'est |c'est )?pas\s(?:[^,?]{2,60}?),?\s*(?:,|mais)\s*(?:c'est )?|c'(?:est|[ée]tait) (?=(?-i:[A-Z])))",
    re.I,
)
WH = (
    r"(?:qui|ki|que|qu'|quoi|koi|quels?|quelles?|quel(?:le)?s|kel(?:le)?s?|quand|kan|qd|où|ou(?=\s)|pourquoi|pk|pq|comment"
    r"|combien|cb|lesquels|laquelle|lequel|lesquelles|who|what|which|where|when|how|why)"
)
ASKS = re.compile(
    rf"(?<!autres )\b{WH}(?:\b|(?<='))|\best-ce\b|\bc'?\s?(?:est|[ée]tait)\b|-t-|-(?:il|elle|on|ils|elles|tu|vous|moi|nous)\b"
    r"|^\s*(?:parle|dis|explique|pr[ée]sente|donne|cite|liste|d[ée]cris|tell|list|give)\w*\b", re.I)  # fmt: skip
ORDER = re.compile(
    r"\s*(?:parle|dis|explique|pr[ée]sente|donne|cite|liste|d[ée]cris|tell|list|give)\w*\b", re.I
)
WH_PHRASE = re.compile(
    rf"^\s*(?:(?:dans|en|à|a|de|d'|depuis|par|pour|avec|sur|jusqu'à|chez|vers)\s?)?(?:{WH}(?:\s|(?<=')))"
    r"(?:(?:de\s|d')(?:autres?\s)?[\w-]+\s?|(?<=s\s)(?:[\w-]+\s)|(?<=l\s)(?:[\w-]+\s)|(?<=le\s)(?:[\w-]+\s)|(?:temps|lieu)\s)?(?:de\s(?:temps)\s)?(?:[a-zéè]+(?:iques?|ales?|aux)\s)?",
    re.I,
)  # fmt: skip
INVERTED = re.compile(
    r"(?P<clitics>(?:\b(?:ne|n'|se|s'|y|en|l'|les?|la)\s?)*)(?P<verb>\b\w+)(?:-t)?-(?P<who>ils?|elles?)\b",
    re.I,
)
SUBJECT = re.compile(
    r"(?P<que>\bqu'\s?)?(?<![-\w])(?P<who>ils?|elles?|it|they)\b(?!(?<=il)\s(?:y a|faut|s'agit|existe (?:un|de)|est possible))",
    re.I,
)
OBJECT = re.compile(r"\b(?P<lead>qui|ki|on|who)\s(?P<who>(?:le|la|les)(?=\s)|l')\s?(?=\w)", re.I)
OBJECT_OF_AUXILIARY = re.compile(
    r"(?P<lead>)\b(?P<who>(?:le|la|les)(?=\s)|l')\s?(?=(?:ont|a|avait|avaient)(?:\s|-))", re.I
)
EN = re.compile(
    r"(?<![\w-])en\s(?=(?:occupe|charge)|(?:est|sont|[ée]tai(?:en)?t|fait|font|a|ont|parle|profite|bénéficie)\b)",
    re.I,
)
Y = re.compile(r"(?<![\w'-])(?<!il\s)y\s(?!a(?:vait|ura)?-t?|(?:a|avait|aura)\s(?!\w+[éeiu]\b))(?=\w)", re.I)
THERE = re.compile(r"(?<![\w-])(?:l[àa][- ]bas|sur place)\b", re.I)
POSSESSIVE = re.compile(
    r"(?<![\w-])(?P<who>son|sa|ses|leurs?|its|their)\s(?P<noun>(?:(?:deux|trois|quatre|cinq|six)\s)?[\w-]+(?:\s[\w-]+(?:iques?|ales?|aux|ives?|ifs?|aires?))?(?:\s(?:de\s|d')[\w-]+)?)",
    re.I,
)
TONIC = re.compile(
    r"\b(?P<prep>parmi|avec|pour|chez|sur|sans|à|de|d|entre|of|for|about)(?:\s|(?<=d)')(?P<who>eux|elles|elle|lui|celles-ci|ceux-ci|them|it)\b",
    re.I,
)
DEMONSTRATIVE = re.compile(
    r"(?<!\w)(?P<prep>(?:de|à)\s)?(?P<who>ce|cet|cette|ces|this|these)\s(?P<noun>(?!sont\b|est\b|qui\b|que\b|qu'|n'|sera\b|[ée]tait\b)[\w-]+?)(?:-l[aà]|-ci)?(?![\w-])",
    re.I,
)
THAT = re.compile(r"(?<![\w-])(?:[cç]a|cela|celui-ci|celui-là|celle-ci|celle-là|that)\b", re.I)
IT_IS = re.compile(
    rf"^(?:c'?\s?(?:est|[ée]tait)\s(?:\w+\s)?{WH}|{WH}\s(?:c'?\s?(?:est|[ée]tait)|(?:est|[ée]tait)[- ]ce|est-ce que c'[ée]tait))\s*$",
    re.I,
)
MEANS = re.compile(r"\b(veut dire|signifie|d[ée]signe)\s(?:quoi|koi)\b", re.I)
IT_IS_A = re.compile(
    r"^c'?\s?(?P<verb>est|[ée]tait)\s(?=(?:une?|de|du|des|d'|à|au|en|dans|pour|par)\b|[\w-]+é(?:e|es|s)?\b)",
    re.I,
)
THE_ONE = re.compile(
    r"\b(?P<who>celui|celle|ceux|celles)\s(?=(?:de|du|des|d'|à|a|au|pour|sur|en|qui|contre|lié)\b|d')", re.I
)
NUMBERED = {
    "premier": 0, "premiere": 0, "1er": 0, "1ere": 0, "deuxieme": 1, "second": 1, "seconde": 1, "2eme": 1, "2e": 1,
    "troisieme": 2, "3eme": 2, "3e": 2, "quatrieme": 3, "4eme": 3, "4e": 3, "cinquieme": 4, "dernier": -1,
    "derniere": -1, "first": 0, "third": 2, "last": -1,
}  # fmt: skip
ORDINAL = re.compile(
    r"(?<!\w)(?P<article>du|au|le|la|l'|the)\s?(?P<which>premi[eè]re?|1[eè]?re?|deuxi[eè]me|seconde?|[2345](?:[eè]me|e)|troisi[eè]me"
    r"|quatri[eè]me|cinqui[eè]me|derni[eè]re?|prochaine?|suivante?|pr[ée]c[ée]dente?|first|third|last)(?:\sone)?(?=\s*(?:$|[?,.!])|\s(?:a|est|sert|porte|comporte|contient|finance)\b)",
    re.I,
)
OTHERS = re.compile(r"\b(?P<all>les (?:deux |trois )?autres|the (?:two )?others)\b(?!\s\w)", re.I)
COUNT_OF = re.compile(r"\b(?:combien|cb)\s(?:y avait-il\s|y a-t-il\s)?(?:de\s|d'|d\s)(?P<what>[\w-]+)", re.I)
HOW_MANY = re.compile(r"\bhow many\s(?P<what>[\w-]+)", re.I)
MONTH = re.compile(
    r"\b(?:janvier|f[ée]vrier|mars|avril|mai|juin|juillet|ao[uû]t|septembre|octobre|novembre|d[ée]cembre)\b",
    re.I,
)
PREPOSITION = r"(?:à|a|au|aux|en|in|at|de|d'|du|pour|sur|chez|dans|of|for)"
PREPOSITION_FIRST = re.compile(rf"(?:{PREPOSITION}|avec|par|depuis|vers|sans|with|from|since)\s", re.I)
WHEN = re.compile(
    r"\s*(?:(?:depuis )?quand|où|comment|pourquoi|combien de temps|(?:dans|en|à|sur|pour) quel\w*\s[\w-]+)\s(?!est-ce)",
    re.I,
)
SLOT = re.compile(
    rf"(?<!\w)(?P<prep>{PREPOSITION})(?:\s|(?<='))(?P<name>[{UPPER}][\w-]+)(?![\w-]|\s[{UPPER}])"
)
SLOT_AT_END = re.compile(
    rf"(?<!\w)(?P<prep>{PREPOSITION})(?:\s|(?<='))(?P<name>[\w-]{{3,}})(?=[\s?.!]*$)", re.I
)
LIST = re.compile(r"(?P<noun>\w+)(?:\s\w+)?\s?:\s(?P<items>[^.\[]+)")


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
    for rule in (_the_one, _ordinal, _others, _demonstrative, _place):
        changed = rule(changed, before, said) or changed
    for step in PRONOUNS:
        if found := step(changed, before, said):
            changed = found
            break
    asking = ASKS.search(changed)
    if not asking and (opened or changed != rest or _bare(changed)):
        return _tidy(_ellipsis(changed, before, said))
    if changed == rest and asking and (found := _incomplete(changed, before, said, plain, opened)):
        return _tidy(found)
    if changed != rest:
        return _tidy(changed)
    return _tidy(rest) if opened and french.terms(rest) else text


def topic(
    before: str, said: str, *, plural: bool | None, feminine: bool | None = None, known: str = ""
) -> NounPhrase | None:
    """What was spoken of: the phrase of the question before, or else the answer's subject, that agrees."""
    taken = set(french.words(known))
    asked = noun_phrases(before)
    heads = {singular(p.head) for p in asked if p.rank > -1 or p.named}
    answered = -1.0 if plural and re.match(r"\s*(?:qui|ki|who)\b", before, re.I) else 0.5
    phrases = [(p, 0.0) for p in asked]
    for p in noun_phrases(said[:200]) if not french.is_english(before) else []:
        if (not p.named or p.start <= 1) and singular(p.head) not in heads:
            same = any(
                singular(p.head) == singular(q.head) for q in asked
            )  # « quel projet », and which one it is
            phrases.append((p, 0.0 if same else answered if p.start <= 1 else 1.5))
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


def _pronoun(who: str, before: str, said: str, known: str) -> str:
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


def _own_subject(lead: str) -> bool:
    """Whether a phrase that can be the subject stands before the verb, after the words that ask."""
    left = WH_PHRASE.sub("", lead)
    return bool(noun_phrases(left) or re.search(rf"\b[{UPPER}]{{2,}}\b", left))


def _inverted(rest: str, before: str, said: str) -> str | None:
    """« Depuis quand y est-elle » → « Depuis quand l'OIM est-elle au Maroc »."""
    found = INVERTED.search(rest)
    if (
        not found
        or found["verb"].casefold() in ("y", "faut", "s'agit")
        or re.search(r"\by\sa(?:vait)?-t?-?il", rest, re.I)
    ):
        return None
    lead, tail = rest[: found.start()], rest[found.end() :]
    if _own_subject(lead) and "," not in lead:
        return None
    named, comma, after = lead.rpartition(",")
    if comma and _own_subject(named):  # « Et les intervenants, d'où venaient-ils »
        lead, subject = after.lstrip(), named.strip()
    else:
        subject = _pronoun(found["who"], before, said, rest)
    if not subject:
        return None
    clitics, verb = found["clitics"], found["verb"]
    if it := re.match(r"(?:les?|la|l')(?=\s|$)|l'", clitics.strip(), re.I):  # « Les ont-ils appréciées »
        thing = _pronoun(it[0], before, said, f"{rest} {subject}")
        if not thing:
            return None
        participle_tail = re.sub(r"^(\s\w+[éiu])e?s?\b", r"\1", tail)
        return f"{lead} {subject} {found[0][len(clitics) :]}{participle_tail} {thing}".lstrip()
    if Y.match(f"{clitics.lstrip()}x") and (place := SLOT.search(before) or SLOT_AT_END.search(before)):
        clitics, tail = "", f"{tail} {place[0]}"
    if re.match(r"(?:sur |de |à )?(?:que|qu')\s?$", lead, re.I):  # « Que fait-elle », « Qu'ont-ils fait »
        participle = (
            re.match(r"\s(?:\w+[éiut]e?s?)\b", tail)
            if verb.casefold() in ("a", "ont", "avait", "avaient")
            else None
        )
        cut = participle.end() if participle else 0
        if re.search(r"\ben\s?$", clitics, re.I) and (
            about := topic(before, said, plural=None, known=f"{rest} {subject}")
        ):
            clitics, tail = clitics[:-3], f"{tail} {joined('de', about.text)}"
        if lead.casefold().endswith("qu'") and french.fold((clitics or verb)[0]) not in "aeiouyh":
            lead = f"{lead[:-1]}e "
        return f"{lead}{clitics}{verb}{tail[:cut]} {subject}{tail[cut:]}"
    start = (
        rest[found.start("verb") : found.end()] if not clitics.strip() else rest[found.start() : found.end()]
    )
    if not clitics.strip():
        start = rest[found.start("verb") : found.end()]
    elif not found["clitics"].strip().casefold().startswith("y"):
        start = rest[found.start() : found.end()].lstrip()
    start = start.lstrip()
    return f"{lead.rstrip()} {subject} {start[:1].lower()}{start[1:]}{tail}".lstrip()


def _subject(rest: str, before: str, said: str) -> str | None:
    """« elle a combien de membres » → « l'OIM a combien de membres »."""
    found = SUBJECT.search(rest)
    if not found or _own_subject(rest[: found.start()]):
        return None
    if re.search(r",\s(?:les?|la|l'|des)\s?\w+[^,]*$", rest):  # « que souhaitent-ils, les participants »
        return None
    subject = _pronoun(found["who"], before, said, rest)
    if not subject:
        return None
    que = ("qu'" if subject[0].lower() in "aeiouyéèêh" else "que ") if found["que"] else ""
    tail = rest[found.end() :]
    if Y.match(tail.lstrip()) and (place := SLOT.search(before)):
        tail = f" {Y.sub('', tail.lstrip(), count=1)} {place[0]}"
    return rest[: found.start()] + que + subject + tail


def _object(rest: str, before: str, said: str) -> str | None:
    """« Qui l'a financée » → « Qui a financé la formation »."""
    found = OBJECT.search(rest) or OBJECT_OF_AUXILIARY.search(rest)
    if not found:
        return None
    lead = rest[: found.start()]
    named, comma, after = lead.rpartition(",")
    if comma and noun_phrases(named):  # « Et le dernier, qui le paie »
        thing, lead = named.strip(), after.lstrip()
    else:
        who = found["who"].casefold().strip()
        if who == "l'" and re.search(r"\w+[éiut]es?\b", rest[found.end() :]):
            thing = _pronoun("la", before, said, rest)
        elif who == "l'":
            thing_found = topic(before, said, plural=False, known=rest)
            thing = thing_found.text if thing_found else ""
        else:
            thing = _pronoun(who, before, said, rest)
    if not thing:
        return None
    asked = found["lead"]
    tail = re.sub(
        r"^((?:\s?(?:a|ont|avait|avaient|aura)(?:-t)?(?:-\w+)?\s)?\w*[éiu])es?\b",
        r"\1",
        rest[found.end() :].lstrip(),
    )
    return f"{lead}{asked} {tail} {thing}".replace("  ", " ").lstrip()


def _of_it(rest: str, before: str, said: str) -> str | None:
    """« Quels en sont les partenaires » → « Quels sont les partenaires du projet »."""
    if not EN.search(rest):
        return None
    found = topic(before, said, plural=None, known=rest)
    return f"{EN.sub('', rest, count=1)} {joined('de', found.text)}" if found else None


def _there(rest: str, before: str, said: str) -> str | None:
    """« Combien de personnes y ont participé » → « … ont participé aux formations »."""
    if not Y.search(rest):
        return None
    found = topic(before, said, plural=None, known=rest)
    return f"{Y.sub('', rest, count=1)} {joined('à', found.text)}" if found else None


def _possessive(rest: str, before: str, said: str) -> str | None:
    """« Quels sont ses partenaires » → « Quels sont les partenaires du programme »."""
    found = POSSESSIVE.search(rest)
    if not found or french.is_stop_word(french.fold(found["noun"]).split()[0]):
        return None
    if _own_subject(rest[: found.start()]) and not re.search(
        rf"{WH}\s(?:est|sont|[ée]tai(?:en)?t)\s$", rest[: found.start()], re.I
    ):
        return None
    who, noun = found["who"].casefold(), found["noun"]
    owner = _pronoun("leurs" if who in ("leur", "leurs", "their") else "", before, said, rest)
    if not owner:
        return None
    if who in ("its", "their"):
        return f"{rest[: found.start()]}the {noun} of {owner}{rest[found.end() :]}"
    feminine = {"sa": True, "son": False}.get(who)
    article = "les " if who in ("ses", "leurs") else article_for(noun.split()[0], feminine)
    if re.fullmatch(r"\s\w+", rest[found.end() :]):  # « son nom complet »
        return f"{rest[: found.start()]}{article}{noun}{rest[found.end() :]} {joined('de', owner)}"
    return f"{rest[: found.start()]}{article}{noun} {joined('de', owner)}{rest[found.end() :]}"


def _tonic(rest: str, before: str, said: str) -> str | None:
    """« Combien de femmes parmi eux » → « Combien de femmes parmi les participants »."""
    found = TONIC.search(rest)
    if not found:
        return None
    if found["prep"].casefold() == "parmi" and COUNT_OF.search(before) and COUNT_OF.search(rest):
        counted = _counted(rest[: found.start()], before)
        if counted:
            return counted
    thing = _pronoun(found["who"], before, said, rest)
    return (
        rest[: found.start()]
        + joined("de" if found["prep"] == "d" else found["prep"], thing)
        + rest[found.end() :]
        if thing
        else None
    )


def _vague(rest: str, before: str, said: str) -> str | None:
    """« Ça coûtait combien », « c'était quand » → the same, and what: « …, la formation »."""
    if it := IT_IS_A.search(rest):  # « c'est une agence de l'ONU »
        found = topic(before, said, plural=False, known=rest)
        return f"{found.text} {it['verb']} {rest[it.end() :]}" if found else None
    that = THAT.search(rest)
    if not (
        IT_IS.match(rest)
        or (that and not rest[: that.start()].strip(" ,") and not noun_phrases(rest[that.end() :]))
    ):
        return None
    found = topic(before, said, plural=None, known=rest)
    if found and (verb := MEANS.search(rest)):
        return f"que {verb[1]} {found.text}"
    return f"{rest}, {found.text}" if found else None


Rule = Callable[[str, str, str], str | None]
PRONOUNS: tuple[Rule, ...] = (_inverted, _object, _subject, _of_it, _there, _possessive, _tonic, _vague)


def _the_one(rest: str, before: str, said: str) -> str | None:
    """« celle de Casablanca » → « la formation de Casablanca »."""
    found = THE_ONE.search(rest)
    if not found:
        return None
    who = found["who"].casefold()
    plural, feminine = who.startswith("ce") and who.endswith(("x", "s")), who.startswith("celle")
    phrases = [
        p for p in noun_phrases(before) + noun_phrases(said) if p.rank > -2 and (p.article or p.plural)
    ]
    agreeing = [p for p in phrases if p.feminine in (None, feminine)] or phrases
    if not agreeing:
        return None
    noun = singular(agreeing[0].head) if not plural else agreeing[0].head
    article = "les " if plural else article_for(noun, feminine)
    return f"{rest[: found.start()]}{article}{noun} {rest[found.end() :]}"


def _items(said: str) -> tuple[str, list[str]]:
    """The noun and the things of a list in an answer: « trois axes : A, B et C »."""
    for found in LIST.finditer(said):
        text = found["items"].strip(" ;\u00a0")
        quoted = re.findall(r"«[^»]+»(?:\s\([^)]+\))?", text)
        things = quoted if len(quoted) > 1 else [t.strip() for t in re.split(r",\s|\set\s(?=[^,]*$)", text)]
        if len(things) > 1:
            noun = found["noun"]
            words = said[: found.start("items")].split()
            plural = next(
                (w for w in reversed(words[-4:]) if w.endswith(("s", "x")) and not w.endswith("ques")), noun
            )
            return singular(re.sub(r"[^\w-]", "", plural)), things
    named = re.findall(r"(?:^|\]\s)(?:la|le|l')\s?(\w+) («[^»]+»)", said, re.I)
    if len(named) > 1 and len({noun for noun, _ in named}) == 1:
        return named[0][0], [name for _, name in named]
    return "", []


def _ordinal(rest: str, before: str, said: str) -> str | None:
    """« le deuxième » → the second thing of the answer's list, or « la deuxième formation »."""
    found = ORDINAL.search(rest)
    if not found:
        return None
    which, article = french.fold(found["which"]), found["article"].casefold()
    noun, things = _items(said)
    feminine = True if article == "la" or which.endswith("iere") else None if article == "the" else False
    place = NUMBERED.get(which, 9)
    subjects = [
        p for p in noun_phrases(before) if p.article and p.rank >= -1 and p.feminine in (None, feminine)
    ]
    subject = max(subjects, key=lambda p: (p.plural + (p.rank >= 0), p.feminine is not None), default=None)
    if things and -1 <= place < len(things):
        thing = things[place]
        name = thing.strip(" «»")
        if subject and len(name.split()) == 1 and name[0].isupper() and subject.head != noun:
            head = singular(subject.head)
            value = f"{article_for(head, subject.feminine)}{head} de {name}"
        else:
            value = (
                thing
                if re.match(r"(?:les?|la)\s|l'", thing)
                else f"{article_for(noun, feminine)}{noun} {thing}"
            )
    elif subject:
        head = singular(subject.head)
        value = f"{'la' if feminine or subject.feminine else 'le'} {found['which']} {head}"
    else:
        return None
    if article in ("du", "au"):
        value = joined({"du": "de", "au": "à"}[article], value)
    return rest[: found.start()] + value + rest[found.end() :]


def _place(rest: str, before: str, said: str) -> str | None:
    """« là-bas » → « au Maroc »."""
    there, place = THERE.search(rest), SLOT.search(before)
    return rest[: there.start()] + place[0] + rest[there.end() :] if there and place else None


def _others(rest: str, before: str, said: str) -> str | None:
    """« les deux autres » → « les formations autres que celle de Rabat »."""
    found = OTHERS.search(rest)
    phrase = next((p for p in noun_phrases(before) if p.article and p.rank >= -1), None) if found else None
    if not found or not phrase:
        return None
    noun, what = singular(phrase.head), phrase.core[len(phrase.head) :].strip()
    value = f"les {noun}s"
    if what and not phrase.plural and phrase.core.casefold().startswith(phrase.head):
        one = (
            ("celle " if phrase.feminine else "celui ")
            if re.match(r"(?:de|du|des|d'|à|sur|pour)\b", what)
            else ""
        )
        value += f" autres que {one}{what}"
    else:
        value = f"{found[0]} {noun}s"
    return rest[: found.start()] + value + rest[found.end() :]


def _demonstrative(rest: str, before: str, said: str) -> str | None:
    """« ce projet » → « le projet COMPASS »."""
    found = DEMONSTRATIVE.search(rest)
    if not found:
        return None
    noun, who = french.fold(found["noun"]), found["who"].casefold()
    plural = who in ("ces", "these")
    alike = [
        [p for p in noun_phrases(text) if singular(p.head) == singular(noun) and p.plural == plural]
        for text in (before, said)
    ]
    same = alike[0] or alike[1]
    named = [p for p in noun_phrases(before) if p.named and p.rank >= 0]
    if same:
        thing = same[0].text
    elif named and not plural:
        name = max(named, key=lambda p: p.rank).core
        feminine = {"cette": True, "ce": False}.get(who)
        thing = (
            name
            if french.fold(name).strip("« ").startswith(noun)
            else f"{article_for(noun, feminine)}{found['noun']} {name}"
        )
    else:
        other = topic(before, said, plural=plural, known="")
        thing = other.text if other else ""
    if not thing:
        return None
    prep = (found["prep"] or "").strip()
    if that := MEANS.search(rest[: found.start()]):
        return f"que {that[1]} {thing}"
    rest = (
        THAT.sub("", rest[: found.start()]).rstrip()
        + " "
        + (joined(prep, thing) if prep else thing)
        + rest[found.end() :]
    )
    return rest.strip()


def _bare(rest: str) -> bool:
    """Whether words without a verb are one thing: « Casablanca », « à Rabat », « les hommes »."""
    words = french.terms(rest)
    return (
        len(words) <= 1
        or (len(words) <= 3 and all(w[0].isupper() for w in rest.split()))
        or bool(len(words) <= 2 and re.match(rf"{PREPOSITION}\s|d'|les?\s|la\s|l'|«", rest, re.I))
    )


def _counted(rest: str, before: str) -> str | None:
    """« combien de femmes » after « Combien de personnes ont suivi … » → « Combien de femmes ont suivi … »."""
    new, old = HOW_MANY.search(rest), HOW_MANY.search(before)
    if new and old and not french.terms(rest[new.end() :]):
        return before[: old.start()] + new[0] + before[old.end() :]
    new, old = COUNT_OF.search(rest), COUNT_OF.search(before)
    if not (new and old) or french.terms(rest[new.end() :]):
        return None
    of = "d'" if french.fold(new["what"])[0] in "aeiouyh" else "de "
    return f"{before[: old.start()]}combien {of}{new['what']}{before[old.end() :]}"


def _incomplete(rest: str, before: str, said: str, plain: str, opened: bool) -> str | None:
    """A question without its topic: « Dans quel hôtel », « Et combien de participants », « Quand »."""
    if opened and (found := _counted(rest, before)):
        return found
    wh = WH_PHRASE.match(f"{rest} ")
    if not wh:
        return None
    left = rest[wh.end() :]
    short = not french.terms(left)
    adverb = not french.terms(rest) or PREPOSITION_FIRST.match(rest)
    if short and adverb and (old := WHEN.match(before)) and french.terms(before[old.end() :]):
        return f"{rest} {before[old.end() :]}"  # « Où » after « Quand a eu lieu la formation »
    if (short and (opened or adverb)) or (opened and len(french.terms(rest)) <= 1):
        found_topic = topic(before, said, plural=None, known=rest)
        link = "for" if french.is_english(rest) else "pour"
        return f"{rest} {link} {found_topic.text}" if found_topic else None
    return None


def _ellipsis(value: str, before: str, said: str) -> str:
    """Words without a verb take the place of their like in the question before."""
    value = re.sub(r"^pour\s(?=les?\s|la\s|l')", "", value.strip())
    old = COUNT_OF.search(before)
    people = re.fullmatch(r"(?:(?:de|des|les)\s|d'|l')?(?P<what>[a-zàâçéèêëîïôöûü-]+s)", value)
    if old and people:
        of = "d'" if french.fold(people["what"])[0] in "aeiouyh" else "de "
        return f"{before[: old.start()]}combien {of}{people['what']}{before[old.end() :]}"
    month, earlier = MONTH.search(value), MONTH.search(before)
    if (
        month
        and earlier
        and re.fullmatch(rf"(?:(?:en|au mois de|in)\s)?{MONTH.pattern}(?:\s\d{{4}})?", value, re.I)
    ):
        return before[: earlier.start()] + month[0] + before[earlier.end() :]
    phrases = noun_phrases(value)
    whole = phrases[0] if phrases and phrases[0].start == 0 else None
    if (
        whole
        and whole.article
        and whole.end >= len(value) - 1
        and not re.match(r"(?:aux?|du)\s", value, re.I)
    ):
        return _with_phrase(value, whole, before, said)
    if re.fullmatch(QUOTED, value) and (quoted := re.search(QUOTED, before)):
        return before[: quoted.start()] + value + before[quoted.end() :]
    name = re.sub(rf"^{PREPOSITION}(?:\s|(?<='))", "", value, flags=re.I)
    prep = value[: len(value) - len(name)]
    if with_it := re.match(r"(?:par|avec|sur|chez|dans)\s", value, re.I):
        starts = [
            p for p in noun_phrases(before) if before[: p.start].casefold().endswith(with_it[0].casefold())
        ]
        if starts:
            return before[: starts[-1].start] + value[with_it.end() :] + before[starts[-1].end :]
    slot = next(iter(reversed(list(SLOT.finditer(before)))), None) or SLOT_AT_END.search(before)
    if slot and (prep or len(name.split()) == 1) and not (name.isupper() and not slot["name"].isupper()):
        if slot["name"][0].isupper() and " " not in name:
            name = name[0].upper() + name[1:]
        at = french.fold(slot["prep"].strip("'"))
        own = prep and not (at in ("de", "d", "of", "du") and len(name.split()) == 1)
        new = value if own else f"{'de' if at == 'd' else slot['prep']} {name}"
        return before[: slot.start()] + new + before[slot.end() :]
    if not prep and (last := _last(before)):
        return before[: last[0]] + value + before[last[1] :]
    return f"{before} {value}"


def _with_phrase(value: str, whole: NounPhrase, before: str, said: str) -> str:
    """« le projet pour les enfants », « les thèmes »: in the place of their like, or asked for themselves."""
    earlier = [p for p in noun_phrases(before) if p.rank > -2]
    like = next((p for p in earlier if singular(p.head) == singular(whole.head) and p.article), None)
    asked_list = re.match(
        r"\s*(?:\w+\s)?(?:quels?|quelles?)\s(?:est|sont|[ée]tai)|\s*(?:dans (?:le cadre de )?)?quel",
        before,
        re.I,
    )
    if like and not asked_list:
        lead = before[: like.start]
        if whole.plural and not like.plural:
            lead = re.sub(
                r"\b(?:a|est)(?=\s(?!.*\b(?:a|est)\s))", lambda m: {"a": "ont", "est": "sont"}[m[0]], lead
            )
        return lead + value + before[like.end :]
    bare_name = [p for p in _outer(earlier) if p.named and p.rank >= 0]
    who = re.match(r"\s*(?:qui|c'est quoi|qu'est-ce que)\b", before, re.I) and len(french.terms(value)) > 1
    if bare_name and (who or whole.named):
        last = bare_name[-1]
        return before[: last.start] + value + before[last.end :]
    if (
        asked_list
        and like
        and re.search(r"\b(?:de|du|des)\s|\bd'", value)
        and not re.match(r"\s*quel\w*\s(?:est|sont|[ée]tai)", before, re.I)
    ):
        return before[: like.start] + value + before[like.end :]
    complete = (
        bool(re.search(r"\s(?:de|du|des|à|au|aux|pour|sur)\s|\sd'|«", value)) or len(french.terms(value)) > 2
    )
    about = None if complete else topic(before, said, plural=None, known=value)
    feminine = whole.feminine if whole.feminine is not None else article_for("x" + whole.head, None) == "la "
    asks = "Quel" + ("le" if feminine else "") + ("s sont" if whole.plural else " est")
    return f"{asks} {value}" + (f" {joined('de', about.text)}" if about else "")


def _outer(phrases: list[NounPhrase]) -> list[NounPhrase]:
    return [p for p in phrases if not any(q.start < p.start and p.end <= q.end for q in phrases)]


def _last(before: str) -> tuple[int, int] | None:
    """Where the last phrase of a question stands: what a bare name takes the place of."""
    phrases = _outer([p for p in noun_phrases(before) if p.rank > -1])
    if phrases:
        return phrases[-1].start, phrases[-1].end
    words = [w for w in french.spans(before) if not french.is_stop_word(w[0])]
    return (words[-1][1], words[-1][2]) if words else None


def _tidy(text: str) -> str:
    """One sentence of French: a capital first, curly apostrophes, a question mark after a no-break space."""
    text = re.sub(r"\s+(?=[,.])", "", " ".join(text.split())).strip(" ?!.,").replace("'", "’")
    end = "." if ORDER.match(text) else "?" if french.is_english(text) else "\u00a0?"
    return f"{text[:1].upper()}{text[1:]}{end}" if text else text
