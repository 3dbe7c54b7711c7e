"""Words the answer: the quotes themselves, each with its number."""

from bot.answers import Citation


def write(citations: tuple[Citation, ...]) -> str:
    """The quotes in order, each followed by its number: « … [1] … [2] »."""
    return " ".join(f"{' '.join(c.quote.split())} [{c.number}]" for c in citations)
