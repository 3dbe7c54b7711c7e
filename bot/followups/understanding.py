"""Reads a question with the conversation before it: what it means alone, and whether it asks for more or
for the source of what was said.
"""

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum

from bot import small_talk
from bot.answers import Question
from bot.followups.noun_phrases import straight
from bot.followups.references import items
from bot.followups.rewriting import rewrite
from index import french

MOST_TURNS = 100  # fifty questions and answers: a topic may be that old
LONGEST = 400  # characters a rewritten question may have; beyond it the topic is lost anyway

ASK = (
    r"(?:(?:est ce que )?(?:peux tu|pouvez vous|tu peux|vous pouvez|tu pourrais|vous pourriez|pourrais tu"
    r"|pourriez vous|can you|could you)(?: (?:m|me|nous))? )?"
)
MORE = re.compile(
    rf"(?:et )?(?:{ASK}(?:(?:en )?(?:donner?|dire|dis|dites|donnez|ajouter?|expliquer?|developper?|savoir)(?: (?:m|moi|nous|en))* )?"
    r"(?:un peu |encore )?(?:plus|davantage|d autres?)(?: (?:de |d )?(?:details?|precisions?|infos?|informations?|explications?))?"
    rf"(?: la dessus| sur (?:ce|le) (?:sujet|point))?|{ASK}(?:continuer?|continuez|poursui[st]|developper?|developpez|preciser?|precisez|detailler?|detaillez)"
    r"(?: un peu)?|(?:j aimerais|je (?:veux|voudrais|souhaite))? ?en savoir (?:plus|davantage)|encore|la suite|suite|ensuite|et apres|apres"
    r"|et puis|puis|quoi d autre|autre chose|c est tout|rien d autre|more|(?:give me |tell me )?(?:some )?more(?: details?)?|go on|what else"
    r"|and then|anything else)(?: (?:stp|svp|please|s il (?:te|vous) plait))?"
)
THIS = r"(?:ca|cela|c|ceci|cette (?:info|information|reponse|phrase|donnee)|l info(?:rmation)?|ta reponse|votre reponse)"
SOURCE = re.compile(
    rf"(?:et )?(?:(?:quel(?:le)?s? (?:est|sont|etait) )?(?:la |ta |tes |votre |vos |les |une |des )?(?:sources?|references?)(?: (?:de|a) {THIS})?"
    rf"|(?:c est quoi|quelles?|donne(?:z)?(?: moi)?|cite[rz]?|montre(?:z)?(?: moi)?) (?:la |ta |tes |votre |vos |les |une |des )?(?:sources?|references?|preuves?)"
    rf"|d ou (?:tiens tu|tenez vous|tu tiens|vous tenez|sors tu|tu sors|vient|viennent|provient)(?: {THIS})?|{THIS} vient d ou|d ou {THIS} vient"
    rf"|(?:c est|c|{THIS} est) (?:ecrit|dit|marque|indique) ou|ou (?:est ce|c est|{THIS} est) (?:que c est )?(?:ecrit|dit|marque|indique)|ou as tu (?:lu|vu|trouve) {THIS}"
    rf"|(?:(?:as tu|avez vous|tu as|vous avez|t as) )?(?:une |des |la )?(?:preuves?|sources?)|(?:tu es|vous etes|es tu|etes vous|t es) surs?(?: de (?:toi|vous|{THIS}))?"
    rf"|comment (?:le )?(?:sais tu|savez vous|tu (?:le )?sais|vous (?:le )?savez)(?: {THIS})?|(?:dans|de) quel (?:document|texte)(?: {THIS})?(?: vient {THIS})?"
    r"|(?:what is|what s) (?:the|your) source|(?:your )?sources?|how do you know(?: that| this)?|where does (?:this|that|it) come from|are you sure)"
    r"(?: (?:stp|svp|please))?"
)
SPELLED = ("details", "precisions", "source", "continue", "ensuite", "document", "developpe", "davantage")


class Wants(StrEnum):
    """What a turn asks for."""

    ANSWER = "answer"
    MORE = "more"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Understood:
    """A question as it stands alone. For MORE and SOURCE it is the question before, and `given` are the
    bot's answers to it so far, newest last.
    """

    text: str
    wants: Wants = Wants.ANSWER
    given: tuple[str, ...] = ()


def understand(question: Question) -> Understood:
    """Read a question after its history; only the last MOST_TURNS turns count.

    A rewritten question is never longer than LONGEST characters.
    """
    turns = question.history[-MOST_TURNS:]
    topic, listed = "", ""
    given: list[str] = []
    for i, turn in enumerate(turns):
        if turn.role != "user":
            continue
        said = next((t.content for t in turns[i + 1 : i + 2] if t.role == "assistant"), "")
        if not turn.content or small_talk.reply(turn.content) is not None:
            continue
        wants = wanted(turn.content) if topic else Wants.ANSWER
        if wants is not Wants.ANSWER:
            given += [said] if wants is Wants.MORE else []
            continue
        topic = _short(
            turn.content, rewrite(small_talk.without_greeting(turn.content), topic, _told(given, listed))
        )
        given, listed = [said], said if items(straight(said))[1] else listed
    wants = wanted(question.text) if topic and any(given) else Wants.ANSWER
    if wants is not Wants.ANSWER:
        return Understood(topic, wants, tuple(given))
    return Understood(_short(question.text, rewrite(question.text, topic, _told(given, listed))))


def standalone(question: Question) -> str:
    """The question as it would be asked without the conversation; unchanged when it stands alone."""
    return understand(question).text


def wanted(text: str) -> Wants:
    """Whether a turn only asks for more, or only for the source of what was said."""
    said = [_spelled(w) for w in french.words(text)]
    plain = " ".join(said)
    if SOURCE.fullmatch(plain):
        return Wants.SOURCE
    return Wants.MORE if MORE.fullmatch(plain) else Wants.ANSWER


def _spelled(word: str) -> str:
    if len(word) < 6 or french.is_known(word):
        return word
    return next(iter(difflib.get_close_matches(word, SPELLED, 1, 0.8)), word)


def _told(given: list[str], listed: str) -> str:
    """What was said of the topic, and last the latest list: « le deuxième » may be of an older answer."""
    return " ".join(given if listed in given else [*given, listed]).strip()


def _short(typed: str, rewritten: str) -> str:
    return rewritten if len(rewritten) <= max(LONGEST, len(typed)) else typed
