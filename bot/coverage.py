"""The words of a question beside those of texts: which carry a topic, and how well a text covers them.

An English word stands as the French words that translate it, joined by « | ».
"""

from functools import lru_cache

from index import english, french
from index.languages import is_english

ALIKE = 0.8  # credit from which a name stands in a text


@lru_cache(maxsize=20_000)
def topical(text: str) -> frozenset[str]:
    """The folded words of a text that carry a topic."""
    return frozenset(w for w in french.words(text) if not french.is_stop_word(w))


def weights(question: str, near: list[frozenset[str]]) -> dict[str, float]:
    """The question's topical words with their rarity, less for words that all the passages hold."""
    asked = {}
    for word in asked_words(question):
        forms = word.split("|")
        share = sum(any(f in words for f in forms) for words in near) / max(1, len(near))
        asked[word] = min(map(french.rarity, forms)) * (1 - 0.7 * share)
    return asked


def asked_words(question: str) -> list[str]:
    """The question's topical words, in order and once."""
    if is_english(question):
        return ["|".join(forms) for forms in english.translated(question)]
    return [w for w in dict.fromkeys(french.words(question)) if not french.is_stop_word(w)]


def credit(word: str, words: frozenset[str]) -> float:
    """How well the best word of a text covers a question's word, in [0, 1]."""
    forms = word.split("|")
    if not words.isdisjoint(forms):
        return 1.0
    best = 0.0
    for form in forms:
        first, then = form[0], form[1:3]
        # no word that begins otherwise is like it, see `likeness`, which takes longer to say so
        near = (w for w in words if w[0] == first or w[1:3] == then)
        best = max(best, max((french.likeness(form, w) for w in near), default=0.0))
    return min(1.0, best * 1.4)  # one typo in a word of eight letters has a likeness near 0.6
