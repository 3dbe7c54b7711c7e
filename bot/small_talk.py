"""Greetings, thanks and « qui es-tu ? »: recognised only when they are all that was said."""

import re

from bot import phrases
from index import french

HELLO = r"(?:(?:re)?bonjour|bjr|salut|slt|coucou|bonsoir|hello|hi|hey|salam|allo|yo)"
WHO = (
    r"(?:(?:mais )?(?:qui|tu|vous) (?:es|etes)[ -](?:tu|vous|qui)|t es qui|c est quoi repere|qu est ce que repere"
    r"|(?:que|qu est ce que) (?:sais|savez|peux|pouvez)[ -](?:tu|vous)(?: faire)?|(?:qu est ce que|que) (?:tu|vous) "
    r"(?:sais|savez|peux|pouvez)(?: faire)?|(?:a quoi (?:tu )?sers(?: tu)?)|aide|help|comment ca marche|who are you"
    r"|tu peux m aider|es tu (?:un robot|une ia|humain)|quel est ton nom|comment (?:tu t appelles|t appelles tu))"
)
KINDS = (
    (re.compile(rf"{HELLO}(?: (?:a (?:tous|toi|vous)|repere|monsieur|madame|tout le monde))?(?: (?:ca va|comment (?:ca va|allez vous|vas tu)))?"), phrases.HELLO),
    (re.compile(r"(?:comment )?(?:ca va|allez vous|vas tu|vous allez bien)(?: bien)?"), phrases.HOW_ARE_YOU),
    (re.compile(r"(?:ok |super |parfait |genial |tres bien |non |oui )*(?:mille |grand )?(?:merci|mrc|thanks|thank you)(?: (?:beaucoup|bien|a (?:vous|toi)|pour (?:tout|votre aide|ton aide|la reponse)))*"), phrases.THANKS),
    (re.compile(r"(?:ok|super|parfait|genial|tres bien|d accord|bravo|oui|non|cool)"), phrases.NOTED),
    (re.compile(r"(?:au revoir|bye|a bientot|bonne (?:journee|soiree|nuit)|a plus|adieu|ciao)(?: merci)?"), phrases.GOODBYE),
    (re.compile(rf"(?:{HELLO} )?{WHO}"), phrases.WHO_I_AM),
)  # fmt: skip
GREETING = re.compile(rf"^\s*{HELLO}\b[\s,!.]*(?=\S)", re.I)


def reply(text: str) -> str | None:
    """The phrase for small talk, or None when a question was asked."""
    words = " ".join(french.words(text))
    return next((phrase for pattern, phrase in KINDS if pattern.fullmatch(words)), None)


def without_greeting(text: str) -> str:
    """« Bonjour, qui finance… ? » without its greeting."""
    return GREETING.sub("", text, count=1)
