"""Makes « Et à Casablanca ? » or « Qui le finance ? » stand alone, from the questions before it.

Deterministic grammar of French (and a little English); knows nothing of any organisation.
"""

import re

from bot.answers import Question
from index import french

MOST_TURNS = 20
LONGEST = 400  # characters a rewritten question may have; beyond it the topic is lost anyway
OPENERS = re.compile(r"^\s*(?:et|mais|ok|d'accord|and|sinon|alors|donc)\b[ ,]*", re.I)
DEPENDENT = re.compile(
    r"\b(?:il|ils|elle|elles|lui|leur|leurs|son|sa|ses|ca|cela|celui|celle|ceux|celles|en|y|dont|it|they|its|their"
    r"|(?:ce|cet|cette|ces) (?!sont\b|est\b|etait\b)\w+)\b|(?:-(?:il|elle|ils|elles)\b)"
)
OWN_SUBJECT = re.compile(
    r"\b[\w’']+-t?-?(?:il|elle|ils|elles)\b|\by (?:a|avait|aura|a-t-il|avait-il)\b|\bil y a\b|\best-ce\b"
)
CLITIC = re.compile(r"\b(?:qui|quand|ou|pourquoi|comment|combien|quoi) (?:le|la|les|l'|y|en)\s?(?=\w)")
PLURAL = re.compile(r"\b(?:ils|elles|les|leurs?|ces|ceux|celles|they|their|dont)\b")
QUESTION_WORD = re.compile(
    r"\b(?:qui|que|quoi|quel|quelle|quels|quelles|quand|ou|pourquoi|comment|combien|est-ce|who|what|where|when|how|why)\b"
)
DETERMINER = r"(?:l’|l'|d’|d'|\b(?:le|la|les|un|une|des|du|de|au|aux|ce|cette|ces|cet|the|of)\s+)"
LINK = r"(?:\s(?:de la|de l’|des|du|de|pour les|pour la|pour|en matière de|of)\s|\s(?:d’|d'))"
QUOTED = re.compile(r"«[^»]{3,120}»")
NOUN_PHRASE = re.compile(
    rf"{DETERMINER}((?:[\w-]+)(?:{LINK}[\w-]+|\s[A-ZÉÈÀÂÎÔ][\w-]+)*(?:\s\(?[A-Z]{{2,}}\)?)?)|\b([A-Z]{{2,}})\b"
)
PLACE = re.compile(
    r"(\b(?:à|a|en|au|aux|chez|pour|sur|de|in|at)\s+)([\w-]+)(?=[\s?.!,]*$|\s(?:a|ont|est|sont)\b)", re.I
)


def standalone(question: Question) -> str:
    """The question as it would be asked without the conversation; unchanged when it stands alone.

    Only the last MOST_TURNS turns count; an understood question is never longer than LONGEST characters.
    """
    earlier = [t.content for t in question.history[-MOST_TURNS:] if t.role == "user"]
    understood = ""
    for text in [*earlier, question.text]:
        longer = rewrite(text, understood)
        understood = longer if longer == text or len(longer) <= LONGEST else text
    return understood


def rewrite(text: str, before: str) -> str:
    """Rewrite one question with the standalone question `before` it."""
    if not before:
        return text
    opener = OPENERS.match(text)
    rest = text[opener.end() :] if opener else text
    folded = french.fold(rest)
    if not QUESTION_WORD.search(folded) and (opener or len(french.terms(rest)) <= 2):
        return _ellipsis(rest, before)
    free = OWN_SUBJECT.sub(" ", folded) if _topics(rest) else folded
    if CLITIC.search(folded) or DEPENDENT.search(free):
        topic = _topic(before, plural=bool(PLURAL.search(folded)), known=set(french.words(rest)))
        return f"{rest.rstrip(' ?')} ({topic}) ?" if topic else rest
    if opener and len(french.terms(rest)) <= 1:  # « Et combien de participants ? »
        topic = _topic(before, plural=True, known=set(french.words(rest)))
        return f"{rest.rstrip(' ?')} ({topic}) ?" if topic else rest
    return rest if opener and french.terms(rest) else text


def _ellipsis(rest: str, before: str) -> str:
    """« à Casablanca ? » after « Quand a eu lieu la formation à Rabat ? »: put it in the old one's place."""
    value = rest.strip(" ?.!")
    if not value:
        return before
    words = value.split()
    bare = words[-1] if len(words) <= 3 else ""
    place = PLACE.search(before)
    if place and bare and len(words) <= 2 and not french.is_stop_word(french.fold(place[2])):
        return before[: place.start(2)] + bare + before[place.end(2) :]
    topic = _topic(before, plural=False, known=set(french.words(value)))
    if re.match(r"(?:les?|la|l['’]|des|du)\b", value.lower()):  # a new noun: it asks for itself
        return f"{value} ?"
    return (
        f"{before.rstrip(' ?')} ({value}) ?"
        if QUESTION_WORD.search(french.fold(before))
        else f"{value} ({topic}) ?"
    )


def _topics(text: str) -> list[str]:
    found = [m[0] for m in QUOTED.finditer(text)]
    found += [m[1] or m[2] for m in NOUN_PHRASE.finditer(text)]
    return [t for t in found if french.terms(t) and not QUESTION_WORD.fullmatch(french.fold(t))]


def _topic(before: str, *, plural: bool, known: set[str]) -> str:
    """What the question before was about: a name first, then a noun that agrees in number."""
    topics = [t for t in _topics(before) if not set(french.words(t)) <= known]
    if not topics:
        return ""

    def fits(topic: str) -> tuple[bool, bool]:
        head = french.fold(topic).split()[0]
        return (head.endswith(("s", "x")) == plural, any(c.isupper() for c in topic))

    return max(reversed(topics) if plural else topics, key=fits)
