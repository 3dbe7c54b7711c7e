"""Mends misspelt words of a French question, by the passages that it found all the same and by common French.

The n-gram search forgives typos, the encoder and the reader less: a question respelled is searched again.
"""

import difflib
import itertools
import re
from collections.abc import Iterable
from functools import cache, lru_cache

from bot.capitals import capitalised, with_capitals
from bot.coverage import topical
from bot.phone import WORD, sound, written_out
from index import french
from index.languages import is_english
from index.passages import RankedPassage
from index.retriever import HybridRetriever

SHORTEST = 4  # letters; shorter words are too like each other
ALIKE = 0.8  # ratio of matching letters (difflib) from which one word is a misspelling of another
COMMON = 10_000  # French words that one without any known spelling may be a slip of
LONG = 5  # letters from which it may, and from which the first one may be wrong
ELISION = re.compile(r"([ldjmtsnc]|qu)([aàâeéèêiîoôuy]\w{2,})")
MUTE = 3  # letters more or less that two words may have and sound alike (« argen », « argents »)
FAMILY = 5  # letters of a common beginning from which another ending makes another word, not a typo


def search(
    retriever: HybridRetriever, question: str, count: int | None = None, *, typed: str | None = None
) -> tuple[str, tuple[RankedPassage, ...]]:
    """The passages found for a question, best first, and the question as it was mended for that.

    `typed` is what was typed where the question was made of it: no capital there, and names may have none.
    """
    written = written_out(question)
    found = retriever.find(written, count)
    known = None
    if not capitalised(question if typed is None else typed):
        known = frozenset[str]().union(*(topical(hit.passage.searched) for hit in found))
    texts = (text for hit in found for text in (hit.passage.title, hit.passage.text))
    mended = with_capitals(respelled(question, found), texts, known)
    if mended != written:
        found = retriever.find(mended, count)
    return mended, retriever.read(mended, found)


def respelled(question: str, hits: Iterable[RankedPassage]) -> str:
    """The question with each word that neither French nor the passages know as one of them spells it.

    A question without any accent gets those that its words usually have,
    and what is typed as on a phone is written out.
    """
    if is_english(question):
        return question
    bare = all(c.isascii() for c in question if c.isalpha())

    @cache  # most questions hold nothing that one must look up there
    def near() -> dict[str, str]:
        found: dict[str, str] = {}
        for hit in hits:
            found |= _spelled(hit.passage.title, hit.passage.text, hit.passage.questions)
        return found

    def mended(found: re.Match[str]) -> str:
        typed, word = found[0], french.fold(found[0])
        usual = french.spellings().get(word)
        plain = len(word) < SHORTEST or not word.isalpha() or french.is_known(word)
        if not bare and (usual or plain):
            return typed
        known = usual or near().get(word)
        if known or plain:
            return _cased(known, typed) if known and bare else typed
        name = typed[0].isupper() and found.start() > 0 and not question.isupper()
        if not name and (apart := _elided(typed.lower(), near())):
            return apart
        return _cased(_ending(_closest(typed.lower(), near(), name), typed) or typed, typed)

    return WORD.sub(mended, written_out(question))


def _ending(word: str | None, typed: str) -> str | None:
    """A word with the « é » that was typed at its end, where its commonest spelling has none."""
    return word and (word[:-1] + "é" if word[-1] == "e" and typed[-1] == "é" else word)


def _elided(typed: str, near: dict[str, str]) -> str | None:
    """« loim » is « l’oim » where the passages know the OIM, and « largent » is « l’argent » anywhere."""
    found = ELISION.fullmatch(typed)
    rest = french.fold(found[2]) if found else ""
    known = near.get(rest) or (_common().get(rest) if len(rest) >= SHORTEST else None)
    return f"{found[1]}’{known}" if found and known else None


def _heard(typed: str, near: dict[str, str]) -> str | None:
    """The word of the passages, else the common French one, that is read aloud like what was typed."""
    key = sound(typed)
    alike = [w for w in near.values() if abs(len(w) - len(typed)) <= MUTE and sound(w) == key]
    here = difflib.get_close_matches(typed, alike, 1, 0.0)
    return here[0] if here else _by_sound().get(key)


@lru_cache(maxsize=1)
def _by_sound() -> dict[str, str]:
    """Common words by their sound, the commonest of each; those of one syllable sound like too many."""
    words: dict[str, str] = {}
    for word in _common().values():
        if len(word) >= LONG:
            words.setdefault(sound(word), word)
    return words


def _closest(typed: str, near: dict[str, str], name: bool) -> str | None:
    """What an unknown word is: a word of the passages with one slip, one that sounds alike, a usual one with
    one slip, or one of the passages with more. A name is a word of the passages or nothing.
    """
    word = french.fold(typed)
    one = french.slips(word)
    here = [w for w in near if len(w) >= SHORTEST and w in one and _is_typo(word, w)]
    if here:
        return near[here[0]]
    if not name and (heard := _heard(typed, near)):
        return heard
    usual = {} if name or len(word) < LONG else _common()
    others = [w for w in sorted(one & usual.keys()) if french.stem(w) != french.stem(word)]
    if others:
        stems = set(map(french.stem, near))
        return usual[min(others, key=lambda w: (french.stem(w) not in stems, french.rarity(w)))]
    alike = difflib.get_close_matches(word, near, 3, ALIKE)
    return next((near[w] for w in alike if word[0] == w[0] and _is_typo(word, w)), None)


@lru_cache(maxsize=1)
def _common() -> dict[str, str]:
    return dict(itertools.islice(french.spellings().items(), COMMON))


def _cased(word: str, typed: str) -> str:
    """A lower-case word in the capitals of what was typed."""
    if word == typed.lower():
        return typed
    if typed.isupper() and len(typed) > 1:
        return word.upper()
    return word.capitalize() if typed[0].isupper() else word


@lru_cache(maxsize=1_000)
def _spelled(title: str, text: str, questions: tuple[str, ...]) -> dict[str, str]:
    """The folded words of a passage as it spells them, and those of its example questions that are French."""
    usual = french.spellings()
    asked = {w: usual[w] for question in questions for w in french.words(question) if w in usual}
    told = {w: source[a:b].lower() for source in (title, text) for w, a, b in french.spans(source)}
    return {w: spelt for w, spelt in (asked | told).items() if len(w) > 2}


def _is_typo(word: str, other: str) -> bool:
    """Whether two words are of like length and differ inside, not by the ending of a word family."""
    if abs(len(word) - len(other)) > (1 if len(word) < 8 else 2):  # « Agadir » is no « agir »
        return False
    start = next((i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), len(word))
    return (start > 0 or len(word) >= LONG) and (start < FAMILY or word[-2:] == other[-2:])
