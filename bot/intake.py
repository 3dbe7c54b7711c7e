"""Sorts what was typed before anything is searched: empty, too long, unreadable, small talk, a question."""

import unicodedata
from functools import lru_cache

from bot import phrases, small_talk
from bot.answers import Answer, Question, Reason
from bot.translations import answered_languages, said_in
from index.languages import language_of

LONGEST = 1000  # characters
EARLIER = 6  # turns that may tell the language of « Casablanca? »


@lru_cache(maxsize=4096)  # a conversation comes back with each of its questions
def clean(text: str) -> str:
    """The text in NFC without control characters, lone surrogates or invisible marks, spaces folded."""
    kept = "".join(
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c
        for c in text
        if unicodedata.category(c) not in ("Cs", "Cf", "Co", "Cn")
    )
    return " ".join(unicodedata.normalize("NFC", kept).split())


def receive(question: Question) -> Answer:
    """An answer that is final (`reason` says why) or, with reason ANSWERED, one still to be found."""
    text = clean(question.text[: 20 * LONGEST])
    if not text:
        return _refused(text, phrases.EMPTY, Reason.EMPTY)
    earlier = tuple(clean(t.content[:LONGEST]) for t in question.history[-EARLIER:] if t.role == "user")
    language = language_of(text[:LONGEST], earlier)
    if len(text) > LONGEST:
        too_long = said_in(language, phrases.TOO_LONG).format(longest=LONGEST)
        return _refused(text[:LONGEST], too_long, Reason.TOO_LONG, language)
    if not any(c.isalnum() for c in text):
        return _refused(text, phrases.UNREADABLE, Reason.UNREADABLE)
    said = small_talk.reply(text)
    if said is not None:
        said = said_in(language, said)
        return Answer(text, text, said, confidence=1.0, reason=Reason.SMALL_TALK, language=language)
    if language not in ("fr", "en"):
        return _refused(text, answered_languages(language), Reason.UNREADABLE)
    return Answer(text, text, "", language=language)


def _refused(text: str, phrase: str, reason: Reason, language: str = "fr") -> Answer:
    return Answer(
        text, text, phrase, refused=True, reason=reason, language="en" if language == "en" else "fr"
    )
