"""Sorts what was typed before anything is searched: empty, too long, unreadable, small talk, a question."""

import unicodedata

from bot import phrases, small_talk
from bot.answers import Answer, Question, Reason

LONGEST = 1000  # characters


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
    if len(text) > LONGEST:
        return _refused(text[:LONGEST], phrases.TOO_LONG.format(longest=LONGEST), Reason.TOO_LONG)
    letters = [c for c in text if c.isalnum()]
    latin = [c for c in letters if c.isdigit() or unicodedata.name(c, "").startswith("LATIN")]
    if not letters or len(latin) < 0.6 * len(letters):
        return _refused(text, phrases.UNREADABLE, Reason.UNREADABLE)
    said = small_talk.reply(text)
    if said is not None:
        return Answer(text, text, said, confidence=1.0, reason=Reason.SMALL_TALK)
    return Answer(text, text, "")


def _refused(text: str, phrase: str, reason: Reason) -> Answer:
    return Answer(text, text, phrase, refused=True, reason=reason)
