"""Picks the sentences that answer, the decisive words in them, and how sure it is.

Each sentence of the best passages becomes a row of FEATURES; a logistic regression fitted on French
questions (`python -m evals calibrate`) turns a row into the probability that the sentence answers.
Knows nothing about wording an answer.
"""

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from bot.kinds import Kind, kind_of, values, wants_several
from index import french
from index.encoder import Encoder
from index.passages import RankedPassage, sentences

PASSAGES_READ = 6
MOST_QUOTES = 3
MODEL = Path(__file__).parent / "reader.json"

FEATURES = (
    "meaning",  # cosine of question and sentence
    "meaning_titled",  # cosine of question and title with sentence
    "passage",  # fused score of the passage
    "rank",  # 1 / rank of the passage
    "covered",  # share of the question's topical words, by rarity, that the sentence holds
    "covered_near",  # the same for title and passage
    "missing",  # rarity of the rarest question word that title and passage lack, per 10
    "missing_number",  # the question holds a number that title and passage lack
    "typed",  # the sentence holds a new value of the kind asked for
    "untyped",  # the question asks for a kind and the sentence has no such value
    "length",  # ln of words
    "meaning_typed",  # meaning × typed
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that may answer: its offsets in the document, and the probability that it does."""

    hit: RankedPassage
    text: str
    start: int
    end: int
    probability: float
    highlights: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader found: the sentences to quote, best first, and the confidence in [0, 1]."""

    evidence: tuple[Evidence, ...]
    confidence: float
    threshold: float

    @property
    def answers(self) -> bool:
        """Whether the confidence reaches the calibrated threshold."""
        return bool(self.evidence) and self.confidence >= self.threshold


@dataclass(frozen=True, slots=True)
class Model:
    """The fitted numbers: one weight a feature, for ranking and for confidence, and the threshold."""

    rank: tuple[float, ...]
    sure: tuple[float, ...]
    threshold: float

    @staticmethod
    def load(path: Path = MODEL) -> "Model":
        """Read `reader.json`."""
        raw = json.loads(path.read_text("utf-8"))
        return Model(tuple(raw["rank"]), tuple(raw["sure"]), float(raw["threshold"]))


@lru_cache(maxsize=20_000)
def _topical(text: str) -> frozenset[str]:
    return frozenset(w for w in french.words(text) if not french.is_stop_word(w))


def weights(question: str) -> dict[str, float]:
    """The question's topical words with their rarity."""
    return {w: french.rarity(w) for w in dict.fromkeys(french.words(question)) if not french.is_stop_word(w)}


def _credit(word: str, words: frozenset[str]) -> float:
    """How well the best word of a text covers a question's word, in [0, 1]."""
    if word in words:
        return 1.0
    best = max((french.likeness(word, other) for other in words), default=0.0)
    return min(1.0, best * 1.4)  # one typo in a word of eight letters has a likeness near 0.6


def features(
    question: str, hits: tuple[RankedPassage, ...], encoder: Encoder
) -> tuple[list[tuple[RankedPassage, int, int]], "np.ndarray[tuple[int, int], np.dtype[np.float64]]"]:
    """Every sentence of the passages as (hit, start, end in the passage) and a (sentences × features) matrix."""
    places = [(hit, a, b) for hit in hits for a, b in sentences(hit.passage.text)]
    if not places:
        return [], np.zeros((0, len(FEATURES)))
    texts = [h.passage.text[a:b] for h, a, b in places]
    titled = [f"{h.passage.title}. {t}" for (h, _, _), t in zip(places, texts, strict=True)]
    rows = encoder.remembered(texts + titled)
    cosines = (rows @ encoder.query(question)[0]).astype(float)
    asked, kind = weights(question), kind_of(question)
    total = sum(asked.values()) or 1.0
    numbers = {w for w in asked if w[0].isdigit()}
    ranks = {hit.passage.id: i + 1 for i, hit in enumerate(hits)}
    near = {
        hit.passage.id: {w: _credit(w, _topical(f"{hit.passage.title} {hit.passage.text}")) for w in asked}
        for hit in hits
    }
    matrix = np.zeros((len(places), len(FEATURES)))
    for i, ((hit, _, _), text) in enumerate(zip(places, texts, strict=True)):
        around, here = near[hit.passage.id], _topical(text)
        covered = sum(r * _credit(w, here) for w, r in asked.items()) / total
        typed = float(bool(values(kind, text, question))) if kind is not Kind.OTHER else 0.0
        matrix[i] = (
            cosines[i],
            cosines[len(texts) + i],
            hit.score,
            1 / ranks[hit.passage.id],
            covered,
            sum(r * around[w] for w, r in asked.items()) / total,
            max(((1 - around[w]) * r / 10 for w, r in asked.items()), default=0.0),
            float(any(around[w] < 1 for w in numbers)),
            typed,
            float(kind is not Kind.OTHER and not typed),
            math.log(1 + len(text.split())),
            typed * cosines[i],
        )
    return places, matrix


def probabilities(
    matrix: "np.ndarray[tuple[int, int], np.dtype[np.float64]]", fitted: tuple[float, ...]
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Logistic regression: one probability a row; the last of `fitted` is the intercept."""
    result: np.ndarray[tuple[int], np.dtype[np.float64]]
    result = 1 / (1 + np.exp(-(matrix @ np.array(fitted[:-1]) + fitted[-1])))
    return result


def margins(scores: "np.ndarray[tuple[int], np.dtype[np.float64]]", best: int) -> tuple[float, float]:
    """How the best sentence stands out: its own score, and its lead over the mean of the others."""
    others = np.delete(scores, best)
    return float(scores[best]), float(scores[best] - others.mean()) if len(others) else 0.0


class Reader:
    """Reads the best passages for a question."""

    def __init__(self, encoder: Encoder, model: Model | None = None) -> None:
        self.encoder, self.model = encoder, model or Model.load()

    def read(self, question: str, hits: tuple[RankedPassage, ...]) -> Reading:
        """The one to three sentences that answer, or a low confidence."""
        places, matrix = features(question, hits[:PASSAGES_READ], self.encoder)
        if not places:
            return Reading((), 0.0, self.model.threshold)
        ranked = probabilities(matrix, self.model.rank)
        order = sorted(range(len(places)), key=lambda i: -ranked[i])
        best = order[0]
        extra = np.array([[*matrix[best], *margins(ranked, best)]])
        confidence = float(probabilities(extra, self.model.sure)[0])
        kept = [best]
        if wants_several(question):
            kept += [
                i
                for i in order[1:]
                if ranked[i] >= 0.6 * ranked[best] and self._adds(question, places, kept, i)
            ]
        kept = kept[:MOST_QUOTES]
        return Reading(
            tuple(self._evidence(question, places[i], float(ranked[i])) for i in kept),
            confidence,
            self.model.threshold,
        )

    def _adds(
        self, question: str, places: list[tuple[RankedPassage, int, int]], kept: list[int], i: int
    ) -> bool:
        """Whether a sentence of a passage already quoted brings a value that is not yet given."""
        kind = kind_of(question)
        hit, a, b = places[i]
        if hit.passage.id != places[kept[0]][0].passage.id or kind is Kind.OTHER:
            return False
        given = " ".join(places[k][0].passage.text[places[k][1] : places[k][2]] for k in kept)
        return bool(values(kind, hit.passage.text[a:b], f"{question} {given}"))

    def _evidence(self, question: str, place: tuple[RankedPassage, int, int], probability: float) -> Evidence:
        hit, a, b = place
        text = hit.passage.text[a:b]
        start = hit.passage.start + a
        return Evidence(hit, text, start, start + len(text), probability, decisive(question, text))


def decisive(question: str, sentence: str) -> tuple[tuple[int, int], ...]:
    """The decisive words: values of the kind asked for, else the longest stretch the question lacks."""
    spans = values(kind_of(question), sentence, question)
    if spans:
        return tuple(spans)
    asked = _topical(question)
    best, run = (0, 0, 0), (0, 0, 0)  # new words, start, end
    for word, start, end in french.spans(sentence):
        if french.is_stop_word(word):
            continue
        if any(french.likeness(word, other) >= 0.6 for other in asked):
            run = (0, 0, 0)
        else:
            run = (run[0] + 1, run[1] if run[0] else start, end)
            best = max(best, run, key=lambda r: r[0])
    return ((best[1], best[2]),) if best[0] else ()
