"""The words of a question beside those of texts: which carry a topic, and how well a text covers them.

An English word stands as the French words that translate it, joined by « | ».
"""

from collections.abc import Iterator
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
    near = ((form, other) for form in forms for other in _begun_like(form, words))
    best = max((french.likeness(form, other) for form, other in near), default=0.0)
    return min(1.0, best * 1.4)  # one typo in a word of eight letters has a likeness near 0.6


def _begun_like(word: str, words: frozenset[str]) -> Iterator[str]:
    """Those of some words that may be like another: no word that begins otherwise is, see `likeness`."""
    begun = _by_beginning(words)
    yield from begun.get(word[0], ())
    yield from begun.get(word[1:3], ())


@lru_cache(maxsize=200)  # those of one question are some fifty
def _by_beginning(words: frozenset[str]) -> dict[str, list[str]]:
    """Words by their first letter, and by their second and third."""
    begun: dict[str, list[str]] = {}
    for word in words:
        begun.setdefault(word[0], []).append(word)
        if len(word) > 2:
            begun.setdefault(word[1:3], []).append(word)
    return begun
