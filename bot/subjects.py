"""What a question is about: the names and times in it, but for what it says of who asks.

« Je travaille à Oujda, qui finance COMPASS ? » is not about Oujda, which need not stand in the documents. By
rules of French and English, no model: what stands before the word that asks, or in a clause of its own, and
speaks of oneself, is left out.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.capitals import capitalised
from bot.coverage import ALIKE, asked_words, credit, topical
from bot.values import MONTHS
from index import english, french
from index.languages import is_english
from index.passages import RankedPassage

SENTENCE = re.compile(r"(?<=[.!?;\n])\s+")
CLAUSE = re.compile(r",\s+|\s[–—-]\s|(?<=:)\s+")
ASKS = re.compile(
    r"\b(?:quand|kan|combien|cb|comment|pourquoi|quel(?:le)?s?|kel(?:le)?s?|lequel|laquelle|lesquel(?:le)?s"
    r"|est-ce qu|qu['’]est-ce|when|where|how|why|which|what|who)\b",
    re.I,
)
MAY_ASK = re.compile(r"(?:^|,\s+)(?:qui|où|que|de qui|par qui)\b", re.I)  # or go on about what was named
REQUESTS = re.compile(
    r"\b(?:savoir|conna[iî]tre|indiquer|(?:re)?dire|rappeler|pr[ée]ciser|confirmer|donner|besoin|cherche\w*"
    r"|demand\w+|voudr\w+|aimer\w+|know|tell|need)\b",
    re.I,
)
ONESELF = re.compile(
    r"\b(?:(?:je|mon|ma|mes|moi|me|notre|nos|nous|suite à|r[ée]f|dossier"
    r"|votre (?:mail|message|courrier|courriel|appel)|bonjour|bonsoir|madame|monsieur|mme|i|my|we|our)\b"
    r"|[jm]['’])",
    re.I,
)
YEAR = re.compile(r"(?:19|20)\d\d")
ACRONYM = 4  # letters of the longest usual one
WORD = re.compile(r"\w{2,}")
LEFT = 2  # words that must be left, or nothing is taken out


@dataclass(frozen=True, slots=True)
class Subjects:
    """Topical words of a question (see `bot.coverage`): names, times, and what is no word of French."""

    names: frozenset[str]
    times: frozenset[str]
    words: frozenset[str]

    def beyond(self, hits: tuple[RankedPassage, ...]) -> "Subjects":
        """Those that stand in none of some passages, names and words not in their examples either."""
        around = [topical(hit.passage.searched) for hit in hits]
        told = [topical(f"{hit.passage.title} {hit.passage.text}") for hit in hits]
        return Subjects(
            frozenset(w for w in self.names if not _stands(w, around)),
            frozenset(w for w in self.times if all(words.isdisjoint(w.split("|")) for words in told)),
            frozenset(w for w in self.words if not _stands(w, around)),
        )

    def typed(self, question: str) -> tuple[str, ...]:
        """All of them as they stand in the question, in its order."""
        every = self.names | self.times | self.words
        return tuple(
            question[start:end]
            for word, start, end in french.spans(question)
            if not every.isdisjoint((word, "|".join(english.translations(word))))
        )


def subjects_of(question: str) -> Subjects:
    """What a question names; `without_asker` first."""
    asked = asked_words(question)
    names, times = names_in(question, asked), times_in(asked)
    unheard = () if is_english(question) else (w for w in asked if w not in names and _is_unheard(w))
    return Subjects(frozenset(names), frozenset(times), frozenset(unheard))


def _is_unheard(word: str) -> bool:
    return word.isalpha() and len(word) > ACRONYM and word not in french.spellings()


def _stands(name: str, texts: Iterable[frozenset[str]]) -> bool:
    """Whether a name stands in one of some texts; a short one to the letter: OTAN is not like OPAN."""
    forms = name.split("|")
    short = len(forms[0]) <= ACRONYM
    return any(not words.isdisjoint(forms) if short else credit(name, words) >= ALIKE for words in texts)


def without_asker(question: str) -> str:
    """The question without what it says of who asks, as far as that can be told; else as it is."""
    sentences = SENTENCE.split(question)
    words = [ASKS.search(s) for s in sentences]
    words[-1] = words[-1] or MAY_ASK.search(sentences[-1])
    asking = [bool(word or REQUESTS.search(s)) for word, s in zip(words, sentences, strict=True)]
    kept = []
    for sentence, word, asks in zip(sentences, words, asking, strict=True):
        if word:
            kept.append(sentence[word.start() :] if _own(sentence[: word.start()]) else sentence)
        elif asks or not any(asking):
            *others, last = CLAUSE.split(sentence)
            kept += [c for c in others if not _own(c) or REQUESTS.search(c)] + [last]
        elif not _own(sentence):
            kept.append(sentence)
    rest = " ".join(kept).strip()
    return rest if len(WORD.findall(rest)) >= LEFT else question


def _own(text: str) -> bool:
    """Whether a part of a question speaks of who asks."""
    return bool(ONESELF.search(text))


def names_in(question: str, asked: Iterable[str]) -> set[str]:
    """Those of some folded words of a question (or translations, joined by « | ») that are names.

    They have a capital inside a sentence or are all capitals, unless most of the question is, or always are.
    """
    shouted = sum(c.isupper() for c in question) > sum(c.islower() for c in question)
    capitals = frozenset[str]() if shouted else capitalised(question)
    return {w for w in asked if french.is_name(w.split("|")[0]) or not capitals.isdisjoint(w.split("|"))}


def times_in(asked: Iterable[str]) -> set[str]:
    """Those of the same words that are a year or a month."""
    return {w for w in asked if YEAR.fullmatch(w) or w.split("|")[0] in MONTHS}
