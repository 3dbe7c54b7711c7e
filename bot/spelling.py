"""Mends misspelt words of a French question, by the passages that it found all the same and by common French.

The n-gram search forgives typos, the encoder and the reader less: a question respelled is searched again.
"""

import difflib
import itertools
import re
import string
from collections.abc import Iterable
from functools import lru_cache

from index import french
from index.languages import is_english
from index.passages import RankedPassage
from index.retriever import HybridRetriever

SHORTEST = 4  # letters; shorter words are too like each other
ALIKE = 0.8  # ratio of matching letters (difflib) from which one word is a misspelling of another
COMMON = 10_000  # French words that one without any known spelling may be a slip of
LONG = 5  # letters from which it may, and from which the first one may be wrong
FAMILY = 5  # letters of a common beginning from which another ending makes another word, not a typo
# As people type on a phone; and « qi », too short to be mended by likeness.
TYPED = dict(
    pair.split(":")
    for pair in """ki:qui qi:qui koi:quoi kwa:quoi kan:quand kand:quand qd:quand ke:que kel:quel kels:quels
    kelle:quelle kelles:quelles cb:combien cbien:combien cmt:comment pk:pourquoi pq:pourquoi pkoi:pourquoi
    ac:avec avc:avec bcp:beaucoup dc:donc ds:dans ns:nous pr:pour ts:tous tt:tout vs:vous""".split()
)


def search(
    retriever: HybridRetriever, question: str, count: int | None = None
) -> tuple[str, tuple[RankedPassage, ...]]:
    """The passages found for a question, best first, and the question as it was mended for that."""
    found = retriever.find(question, count)
    mended = respelled(question, found)
    if mended != question:
        found = retriever.find(mended, count)
    return mended, retriever.read(mended, found)


def respelled(question: str, hits: Iterable[RankedPassage]) -> str:
    """The question with each word that neither French nor the passages know as one of them spells it.

    A question without any accent gets those that its words usually have,
    and what is TYPED on a phone is written out.
    """
    if is_english(question):
        return question
    near: dict[str, str] = {}
    for hit in hits:
        near |= _spelled(hit.passage.title, hit.passage.text, hit.passage.questions)
    bare = all(c.isascii() for c in question if c.isalpha())

    def mended(found: re.Match[str]) -> str:
        typed, word = found[0], french.fold(found[0])
        if word in TYPED and (typed.islower() or found.start() == 0):
            return _cased(TYPED[word], typed)
        known = french.spellings().get(word) or near.get(word)
        if known and bare:
            return _cased(known, typed)
        if known or len(word) < SHORTEST or not word.isalpha() or french.is_known(word):
            return typed
        name = typed[0].isupper() and found.start() > 0 and not question.isupper()
        usual = {} if name or len(word) < LONG else _common()
        return _cased(_closest(word, near, usual) or typed, typed)

    return re.sub(r"[^\W\d_]+", mended, question)


def _closest(word: str, near: dict[str, str], usual: dict[str, str]) -> str | None:
    """What an unknown word is: a word of the passages with one slip, a usual one, or one with more slips."""
    one = _slips(word)
    here = [w for w in near if w in one and _is_typo(word, w)]
    if here:
        return near[here[0]]
    others = [w for w in sorted(one & usual.keys()) if french.stem(w) != french.stem(word)]
    if others:
        stems = set(map(french.stem, near))
        return usual[min(others, key=lambda w: (french.stem(w) not in stems, french.rarity(w)))]
    alike = difflib.get_close_matches(word, near, 3, ALIKE)
    return next((near[w] for w in alike if word[0] == w[0] and _is_typo(word, w)), None)


@lru_cache(maxsize=1)
def _common() -> dict[str, str]:
    return dict(itertools.islice(french.spellings().items(), COMMON))


def _slips(word: str) -> set[str]:
    """All that is one slip away from a word: a letter too many, missing or wrong, or two swapped.

    After Norvig, How to Write a Spelling Corrector, 2007.
    """
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    slips = {a + b[1:] for a, b in cuts if b} | {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    for letter in string.ascii_lowercase:
        slips |= {a + letter + b for a, b in cuts} | {a + letter + b[1:] for a, b in cuts if b}
    return slips


def _cased(word: str, typed: str) -> str:
    """A lower-case word in the capitals of what was typed."""
    if word == typed.lower():
        return typed
    if typed.isupper() and len(typed) > 1:
        return word.upper()
    return word.capitalize() if typed[0].isupper() else word


@lru_cache(maxsize=1_000)
def _spelled(title: str, text: str, questions: tuple[str, ...]) -> dict[str, str]:
    """The folded words of a passage as it spells them, without what only an example question may misspell."""
    return {
        word: source[a:b].lower()
        for source, trusted in ((title, True), (text, True), (" ".join(questions), False))
        for word, a, b in french.spans(source)
        if len(word) >= SHORTEST and (trusted or word in french.spellings())
    }


def _is_typo(word: str, other: str) -> bool:
    """Whether two words are of like length and differ inside, not by the ending of a word family."""
    if abs(len(word) - len(other)) > (1 if len(word) < 8 else 2):  # « Agadir » is no « agir »
        return False
    start = next((i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), len(word))
    return (start > 0 or len(word) >= LONG) and (start < FAMILY or word[-2:] == other[-2:])
