"""Mends misspelt words of a French question by the words of the passages that it found all the same.

The n-gram search forgives typos, the encoder and the reader less: a question respelled is searched again.
"""

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache

from bot.kinds import QUESTION_WORDS
from index import french
from index.languages import is_english
from index.passages import RankedPassage
from index.retriever import HybridRetriever

SHORTEST = 4  # letters; shorter words are too like each other
ALIKE = 0.8  # ratio of matching letters (difflib) from which one word is a misspelling of another
FAMILY = 5  # letters of a common beginning from which another ending makes another word, not a typo


def search(
    retriever: HybridRetriever, question: str, count: int | None = None
) -> tuple[str, tuple[RankedPassage, ...]]:
    """The passages found for a question, best first, and the question as it was mended for that."""
    found = retriever.rank(question, count)
    mended = respelled(question, found)
    return (question, found) if mended == question else (mended, retriever.rank(mended, count))


def respelled(question: str, hits: Iterable[RankedPassage]) -> str:
    """The question with each word that neither French nor the passages know as the passages spell it."""
    if is_english(question):
        return question
    words = {word: word for word in QUESTION_WORDS}
    for hit in hits:
        words |= _spelled(hit.passage.title, hit.passage.text, hit.passage.questions)

    def mended(found: re.Match[str]) -> str:
        word = french.fold(found[0])
        if len(word) < SHORTEST or not word.isalpha() or word in words or _is_french(word):
            return found[0]
        near = difflib.get_close_matches(word, words, 3, ALIKE)
        right = next((words[other] for other in near if _is_typo(word, other)), found[0])
        return right.capitalize() if found[0][0].isupper() and right != found[0] else right

    return re.sub(r"[^\W\d_]+", mended, question)


@lru_cache(maxsize=5_000)
def _spelled(title: str, text: str, questions: tuple[str, ...]) -> dict[str, str]:
    """The folded words of a passage as it spells them, without what only an example question may misspell."""
    return {
        word: source[a:b].lower()
        for source, trusted in ((title, True), (text, True), (" ".join(questions), False))
        for word, a, b in french.spans(source)
        if len(word) >= SHORTEST and (trusted or french.is_known(word))
    }


def _is_french(word: str) -> bool:
    return french.is_stop_word(word) or french.is_known(word)


def _is_typo(word: str, other: str) -> bool:
    """Whether two words with a common first letter differ inside, not by the ending of a word family."""
    if abs(len(word) - len(other)) > (1 if len(word) < 8 else 2):  # « Agadir » is no « agir »
        return False
    start = next((i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), len(word))
    return word[0] == other[0] and (start < FAMILY or word[-2:] == other[-2:])
