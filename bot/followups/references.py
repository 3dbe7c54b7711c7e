"""Names what « celle de Rabat », « le deuxième », « les deux autres », « ce projet » and « là-bas » point at.

Each rule takes (question, the question before, its answer) and gives the new question, or None.
"""

import re

from bot.followups.antecedents import MEANS, SLOT, THAT, Rule, topic
from bot.followups.noun_phrases import article_for, joined, noun_phrases, singular
from index import french

THERE = re.compile(r"(?<![\w-])(?:l[àa][- ]bas|sur place)\b", re.I)
DEMONSTRATIVE = re.compile(
    r"(?<!\w)(?P<prep>(?:de|à)\s)?(?P<who>ce|cet|cette|ces|this|these)\s(?P<noun>(?!sont\b|est\b|qui\b|que\b|qu'|n'|sera\b|[ée]tait\b)[\w-]+?)(?:-l[aà]|-ci)?(?![\w-])",
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
LIST = re.compile(r"(?P<noun>\w+)(?:\s\w+)?\s?:\s(?P<items>[^.\[]+)")


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
    noun = agreeing[0].noun + "s" * (plural and not agreeing[0].noun.endswith(("s", "x")))
    article = "les " if plural else article_for(noun, feminine)
    return f"{rest[: found.start()]}{article}{noun} {rest[found.end() :]}"


def items(said: str) -> tuple[str, list[str]]:
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
    noun, things = items(said)
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
            head = subject.noun
            value = f"{article_for(head, subject.feminine)}{head} de {name}"
        else:
            value = (
                thing
                if re.match(r"(?:les?|la)\s|l'", thing)
                else f"{article_for(noun, feminine)}{noun} {thing}"
            )
    elif subject:
        head = subject.noun
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
    noun, what = phrase.noun, phrase.core[len(phrase.head) :].strip()
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


REFERENCES: tuple[Rule, ...] = (_the_one, _ordinal, _others, _demonstrative, _place)
