"""Puts what they stand for in the place of French pronouns: « elle », « l'a », « y », « en », « ses », « ça ».

Each rule takes (question, the question before, its answer) and gives the new question, or None.
"""

import re

from bot.followups.antecedents import MEANS, SLOT, SLOT_AT_END, THAT, WH, Rule, own_subject, pronoun, topic
from bot.followups.ellipsis import COUNT_OF, counted
from bot.followups.noun_phrases import article_for, joined, noun_phrases
from index import french

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
OBJECT_OF_INFINITIVE = re.compile(
    r"\b(?P<lead>comment|où|quand|pourquoi|peut|peut-on|faut-il|doit-on)\s(?P<who>(?:le|la|les)\s|l')(?=\w+(?:er|ir|re)\b)",
    re.I,
)
OBJECT_IN_ENGLISH = re.compile(
    r"^(?P<lead>(?:who|what|when|where|why|how)\b.*\b\w+)\s(?P<who>it|them)$", re.I
)
EN = re.compile(
    r"(?<![\w-])en\s(?=(?:occupe|charge)|(?:est|sont|[ée]tai(?:en)?t|fait|font|a|ont|parle|profite|bénéficie|bénéficier|profiter|parler|faire)\b)",
    re.I,
)
Y = re.compile(r"(?<![\w'-])(?<!il\s)y\s(?!a(?:vait|ura)?-t?|(?:a|avait|aura)\s(?!\w+[éeiu]\b))(?=\w)", re.I)
POSSESSIVE = re.compile(
    r"(?<![\w-])(?P<who>son|sa|ses|leurs?|its|their)\s(?P<noun>(?:(?:deux|trois|quatre|cinq|six)\s)?[\w-]+(?:\s[\w-]+(?:iques?|ales?|aux|ives?|ifs?|aires?))?(?:\s(?:de\s|d')[\w-]+)?)",
    re.I,
)
TONIC = re.compile(
    r"\b(?P<prep>parmi|avec|pour|chez|sur|sans|à|de|d|entre|of|for|about)(?:\s|(?<=d)')(?P<who>eux|elles|elle|lui|celles-ci|ceux-ci|them|it)\b",
    re.I,
)
IT_IS = re.compile(
    rf"^(?:c'?\s?(?:est|[ée]tait)\s(?:\w+\s)?{WH}|{WH}\s(?:c'?\s?(?:est|[ée]tait)|(?:est|[ée]tait)[- ]ce|est-ce que c'[ée]tait))\s*$",
    re.I,
)
IT_IS_A = re.compile(
    r"^c'?\s?(?P<verb>est|[ée]tait)\s(?=(?:une?|de|du|des|d'|à|au|en|dans|pour|par)\b|[\w-]+é(?:e|es|s)?\b)",
    re.I,
)


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
    if (own_subject(lead) and "," not in lead) or _is_asked_for(lead, found["who"], tail):
        return None
    named, comma, after = lead.rpartition(",")
    if comma and own_subject(named):  # « Et les intervenants, d'où venaient-ils »
        lead, subject = after.lstrip(), named.strip()
    else:
        subject = pronoun(found["who"], before, said, rest)
    if not subject:
        return None
    clitics, verb = found["clitics"], found["verb"]
    if it := re.match(r"(?:les?|la|l')(?=\s|$)|l'", clitics.strip(), re.I):  # « Les ont-ils appréciées »
        thing = pronoun(it[0], before, said, f"{rest} {subject}")
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


def _is_asked_for(lead: str, who: str, tail: str) -> bool:
    """Whether the pronoun repeats the noun asked for: « Combien de personnes ont-elles été formées »."""
    asked = next(iter(noun_phrases(lead)), None)
    passive = re.match(r"\s[ée]t[ée]\b", tail) is not None
    return passive and asked is not None and asked.plural == who.casefold().endswith("s")


def _subject(rest: str, before: str, said: str) -> str | None:
    """« elle a combien de membres » → « l'OIM a combien de membres »."""
    found = SUBJECT.search(rest)
    if not found or own_subject(rest[: found.start()]):
        return None
    if re.search(r",\s(?:les?|la|l'|des)\s?\w+[^,]*$", rest):  # « que souhaitent-ils, les participants »
        return None
    subject = pronoun(found["who"], before, said, rest)
    if not subject:
        return None
    que = ("qu'" if subject[0].lower() in "aeiouyéèêh" else "que ") if found["que"] else ""
    tail = rest[found.end() :]
    if Y.match(tail.lstrip()) and (place := SLOT.search(before)):
        tail = f" {Y.sub('', tail.lstrip(), count=1)} {place[0]}"
    return rest[: found.start()] + que + subject + tail


def _object(rest: str, before: str, said: str) -> str | None:
    """« Qui l'a financée » → « Qui a financé la formation »."""
    if english := OBJECT_IN_ENGLISH.match(rest):
        thing = pronoun(english["who"], before, said, rest)
        return f"{english['lead']} {thing}" if thing else None
    found = OBJECT.search(rest) or OBJECT_OF_AUXILIARY.search(rest) or OBJECT_OF_INFINITIVE.search(rest)
    if not found:
        return None
    lead = rest[: found.start()]
    named, comma, after = lead.rpartition(",")
    if comma and noun_phrases(named):  # « Et le dernier, qui le paie »
        thing, lead = named.strip(), after.lstrip()
    else:
        who = found["who"].casefold().strip()
        if who == "l'" and re.search(r"\w+[éiut]es?\b", rest[found.end() :]):
            thing = pronoun("la", before, said, rest)
        elif who == "l'":
            thing_found = topic(before, said, plural=False, known=rest)
            thing = thing_found.text if thing_found else ""
        else:
            thing = pronoun(who, before, said, rest)
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
    if not found or french.is_stop_word(french.words(found["noun"])[0]):
        return None
    if own_subject(rest[: found.start()]) and not re.search(
        rf"{WH}\s(?:est|sont|[ée]tai(?:en)?t)\s$", rest[: found.start()], re.I
    ):
        return None
    who, noun = found["who"].casefold(), found["noun"]
    owner = pronoun("leurs" if who in ("leur", "leurs", "their") else "", before, said, rest)
    if not owner:
        return None
    if who in ("its", "their"):
        return f"{rest[: found.start()]}the {noun} of {owner}{rest[found.end() :]}"
    feminine = {"sa": True, "son": False}.get(who)
    if re.search(r"\bquelle\s\w+\s$", rest[: found.start()], re.I):  # « Quelle était leur méthode »
        feminine = True
    article = "les " if who in ("ses", "leurs") else article_for(noun.split()[0], feminine)
    if re.fullmatch(r"\s\w+", rest[found.end() :]):  # « son nom complet »
        return f"{rest[: found.start()]}{article}{noun}{rest[found.end() :]} {joined('de', owner)}"
    return f"{rest[: found.start()]}{article}{noun} {joined('de', owner)}{rest[found.end() :]}"


def _tonic(rest: str, before: str, said: str) -> str | None:
    """« Combien de femmes parmi eux » → « Combien de femmes parmi les participants »."""
    found = TONIC.search(rest)
    if not found:
        return None
    among = found["prep"].casefold() == "parmi" and COUNT_OF.search(before) and COUNT_OF.search(rest)
    if among and (replaced := counted(rest[: found.start()], before)):
        return replaced
    thing = pronoun(found["who"], before, said, rest)
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
        or (that and not own_subject(rest[: that.start()]) and not noun_phrases(rest[that.end() :]))
    ):
        return None
    found = topic(before, said, plural=None, known=rest)
    if found and (verb := MEANS.search(rest)):
        return f"que {verb[1]} {found.text}"
    return f"{rest}, {found.text}" if found else None


PRONOUNS: tuple[Rule, ...] = (_inverted, _object, _subject, _of_it, _there, _possessive, _tonic, _vague)
