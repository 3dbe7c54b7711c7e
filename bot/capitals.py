"""Gives a question typed in small letters, or in capitals alone, the capitals that its names have.

By its capital the reader knows a name that no document holds (« les thèmes de la formation de tétouan »),
and the encoder was taught by texts that have them. A name is what the texts at hand always write with a
capital, what French does, or a word that neither French nor these texts know.
"""

import difflib
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache

from bot.coverage import ALIKE, credit
from bot.phone import WORD
from index import english, french
from index.languages import is_english

SHORTEST = 4  # letters of a word that is taken for a name because nobody knows it
COMMON = 10_000  # French words that a short one that nobody knows may be a slip of; a LONG one of any
LONG = 7  # letters
FEWEST = 2  # words of a question in capitals alone; one may be an acronym
COMPOUND = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
FORMED = re.compile(  # words that French forms as it needs them: rare, but no names
    r".{2,}(?:iques?|ismes?|istes?|[st]ions?|ments?|[ai]bles?|eu[rs]|euses?|ites?|ages?|aires?|[ae]nces?|i[vf]e?s?|eries?"
    r"|iser|ifier|ees?|ait|aient|er|ez|ons)"
)


def in_small_letters(question: str) -> str:
    """A question in capitals alone without them; any other as it is."""
    return question.lower() if question.isupper() and len(WORD.findall(question)) >= FEWEST else question


def capitalised(question: str) -> frozenset[str]:
    """The folded words with a capital that is not that of a beginning: inside a sentence, or all capitals."""
    return frozenset(
        word
        for word, start, end in french.spans(question)
        if question[start].isupper()
        and (french.stands_inside(question, start) or (end - start > 1 and question[start:end].isupper()))
    )


def with_capitals(question: str, texts: Iterable[str], known: frozenset[str] | None = None) -> str:
    """The question with the capitals of its names: as `texts` write them, or as French does.

    A word that neither French nor `known` words, folded, are like is a name too, unless these are None.
    """
    unsure = {w for w, typed in _compounds(question) if typed.islower()}
    unsure |= {french.fold(m[0]) for m in WORD.finditer(question) if _may_be_a_name(m[0])}
    if not unsure:
        return question
    written = _written(unsure, texts)
    named = bool(capitalised(question))  # who types some capitals leaves out none of a name
    foreign = is_english(question)

    def word_capitals(typed: str) -> str:
        word = french.fold(typed)
        if not _may_be_a_name(typed):
            return typed
        if word in written:
            return _like(written[word], typed)
        name = english.translations(word)[0] if foreign else word
        if not named and french.is_name(name):
            return typed.upper() if french.is_acronym(name) else typed.capitalize()
        stranger = known is not None and _is_stranger(word, known, foreign)
        return typed.capitalize() if stranger else typed

    def capitals(found: re.Match[str]) -> str:
        whole, parts = french.fold(found[0]), found[0].split("-")
        if "-" in whole and whole in written:  # « Pays-Bas »
            made = [*map(_like, written[whole].split("-"), parts)]
        else:
            made = [*map(word_capitals, parts)]
            if made != parts:  # « États-Unis », « Aix-en-Provence »
                made = [p if french.is_stop_word(french.fold(p)) else p[0].upper() + p[1:] for p in made]
        same = "-".join(made).lower() == found[0].lower()  # « ß » in capitals is two letters
        return "-".join(made) if same else found[0]

    return COMPOUND.sub(capitals, question)


def _like(told: str, typed: str) -> str:
    """A word in the capitals of another; it loses none of its own."""
    if told.isupper() and len(told) > 1:
        return typed.upper()
    return typed.capitalize() if told[0].isupper() and typed.islower() else typed


def _may_be_a_name(typed: str) -> bool:
    """Whether a word without capitals, or « Oim » at the beginning, may want some."""
    word = french.fold(typed)
    usual = word in french.spellings() and french.is_known(word)
    small = typed.islower() or typed.istitle()
    return small and not french.is_stop_word(word) and (french.is_name(word) or not usual)


def _is_stranger(word: str, known: frozenset[str], foreign: bool) -> bool:
    """Whether neither the language nor `known` words hold a word, nor one that is misspelt so."""
    if len(word) < SHORTEST or word in french.spellings() or french.is_known(word) or FORMED.fullmatch(word):
        return False
    slips = french.slips(word)
    if foreign and (english.is_known(word) or any(map(english.is_known, slips))):
        return False
    usual = french.spellings() if len(word) >= LONG else _common()
    misspelt = not (slips.isdisjoint(usual) and slips.isdisjoint(known))
    return (
        not misspelt and credit(word, known) < ALIKE and not difflib.get_close_matches(word, known, 1, ALIKE)
    )


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(itertools.islice(french.spellings(), COMMON))


def _written(words: set[str], texts: Iterable[str]) -> dict[str, str]:
    """How texts mostly write some folded words, where they tell."""
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    for word, form in itertools.chain.from_iterable(map(_telling, texts)):
        if word in words:
            forms[word][form] += 1
    return {word: max(counts, key=lambda form: counts[form]) for word, counts in forms.items()}


@lru_cache(maxsize=1_000)
def _telling(text: str) -> tuple[tuple[str, str], ...]:
    """The words of a text that tell whether they are names, folded and as it has them: acronyms, words with
    a hyphen and those inside its sentences.
    """
    words = ((word, text[start:end], start) for word, start, end in french.spans(text))
    alone = ((w, form) for w, form, start in words if form.isupper() or french.stands_inside(text, start))
    return (*alone, *_compounds(text))


def _compounds(text: str) -> list[tuple[str, str]]:
    return [(french.fold(m[0]), m[0]) for m in COMPOUND.finditer(text) if "-" in m[0]]
