"""English questions asked of French documents: English stems and the French words that translate them."""

import itertools
import json
from functools import lru_cache
from pathlib import Path

import snowballstemmer

from index import french

SMALL = frozenset(
    """a about after all also am an and any are as at be been before but by can could did do does for from
    had has have he her him his how i if in into is it its many may me more most much my no not of on or our
    out please s she should so some such t than that the their them then there these they this those to took
    us was we were what when where which who whom whose why will with would you your""".split()
)
_stemmer = snowballstemmer.stemmer("english")


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The Snowball English stem of a folded word; numbers stay as they are."""
    return word if word[0].isdigit() else str(_stemmer.stemWord(word))


def is_topical(word: str) -> bool:
    """Whether a folded English word carries a topic."""
    return word not in SMALL and (len(word) > 1 or word.isdigit())


def is_known(word: str) -> bool:
    """Whether a folded word is English, in any of its forms, and has French words for it."""
    return word in SMALL or stem(word) in _table()


def terms(text: str) -> list[str]:
    """Stems of the topical English words, in order, repeats kept."""
    return [stem(w) for w in french.words(text) if is_topical(w)]


@lru_cache(maxsize=1)
def _table() -> dict[str, list[str]]:
    table: dict[str, list[str]] = json.loads(
        (Path(__file__).parent / "models" / "english-french.json").read_text("utf-8")
    )
    return table


@lru_cache(maxsize=10_000)
def translations(word: str) -> tuple[str, ...]:
    """Folded French words for a folded English one, likeliest first; the word itself when unknown.

    A short unknown word may be an acronym, and French acronyms are often the English ones with the
    letters in another order (NATO and OTAN): every order counts as a translation.
    """
    known = _table().get(stem(word))
    if known:
        return tuple(known)
    if 3 <= len(word) <= 4 and word.isalpha():
        orders = sorted({"".join(letters) for letters in itertools.permutations(word)} - {word})
        return (word, *(w for w in orders if not french.is_stop_word(w)))
    return (word,)


def translated(question: str) -> list[tuple[str, ...]]:
    """For each topical word of an English question, in order and once, the French words for it."""
    return list(dict.fromkeys(translations(w) for w in french.words(question) if is_topical(w)))


def in_french(question: str) -> str:
    """The French words for an English question: something to search, not a sentence."""
    return " ".join(word for forms in translated(question) for word in forms)
