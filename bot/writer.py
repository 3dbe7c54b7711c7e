"""Words the answer: the quotes themselves, each with its number."""

import re

from bot.answers import Citation


def write(citations: tuple[Citation, ...]) -> str:
    """The quotes in order, each followed by its number: « … [1] … [2] »."""
    return " ".join(f"{one_line(c.quote)} [{c.number}]" for c in citations)


def one_line(text: str) -> str:
    """The text without line breaks; no-break spaces stay, French wants them."""
    return re.sub(r"[ \t\n]+", " ", text)
