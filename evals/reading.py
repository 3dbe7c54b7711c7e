"""How well a passage is read: questions beside the paragraph that answers, nothing searched."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.values import tokens
from evals.cases import Case
from evals.metrics import missing_facts, token_f1
from evals.statistics import intervals, ratio
from index.documents import Document
from index.encoder import Encoder
from index.errors import RepereError
from index.judges import Judged, QuestionAnswering, Reranker
from index.passages import Passage, passages, sentences, titled
from index.pieces import Bytes

Judge = QuestionAnswering | Reranker | None
Score = tuple[float, float, float]  # a value and its 95% interval


@dataclass(frozen=True, slots=True)
class Read:
    """How one question was read beside its paragraph, and how likely another of the title seemed to answer.

    `f1` and `exact` are of the likeliest words, `right` of the likeliest sentence, each in [0, 1]; `sure` and
    `beside` are log-odds, the latter None where the title has no other paragraph.
    """

    f1: float
    exact: float
    right: float
    sure: float
    beside: float | None


class Desk:
    """Paragraphs as they lie in an index, each cut and encoded once."""

    def __init__(self, documents: Mapping[str, tuple[str, str]], encoder: Encoder, judge: Judge) -> None:
        self.documents, self.encoder, self.judge = documents, encoder, judge
        self._told: dict[str, list[tuple[str, str, Bytes]]] = {}

    def best(self, question: str, name: str) -> tuple[Judged, str]:
        """What is said of the passage of a document that answers best, and its text.

        Raises RepereError where no model reads.
        """
        if name not in self._told:
            self._told[name] = [self._laid(p) for p in passages(Document(name, *self.documents[name]))]
        told = self._told[name]
        if self.judge:
            judged = self.judge.judge(question, [(title, text) for title, text, _ in told])
        else:
            judged = self.encoder.judge(question, told)
        if not judged:
            raise RepereError("this encoder reads no passages; set REPERE_READER to a model that does")
        return max(zip(judged, (t[1] for t in told), strict=True), key=lambda each: sureness(each[0]))

    def _laid(self, passage: Passage) -> tuple[str, str, Bytes]:
        """A passage as it lies in an index."""
        pieces = next(self.encoder.read_passages([titled(passage.title, passage.text)]))[1]
        return passage.title, passage.text, pieces.as_bytes()


def sureness(judged: Judged) -> float:
    """The log-odds of the likeliest sentence."""
    return max(judged.margins, default=-math.inf)


def read_all(
    cases: Sequence[Case], documents: Mapping[str, tuple[str, str]], encoder: Encoder, judge: Judge
) -> Iterator[Read]:
    """Read each case, all answerable, beside its paragraph, and beside the next one of the same title."""
    of: dict[str, list[str]] = {}
    for name, (title, _) in documents.items():
        of.setdefault(title, []).append(name)
    desk = Desk(documents, encoder, judge)
    for case in cases:
        gold, aliases = case.documents[0], case.facts[0]
        judged, text = desk.best(case.question, gold)
        said = text[slice(*judged.span)]
        low, high = sentences(text)[int(np.argmax(judged.margins))]
        near = of[documents[gold][0]]
        other = near[(near.index(gold) + 1) % len(near)]
        yield Read(
            max(token_f1(said, alias) for alias in aliases),
            float(any(tokens(said) == tokens(alias) for alias in aliases)),
            float(not missing_facts(text[low:high], [aliases])),
            sureness(judged),
            sureness(desk.best(case.question, other)[0]) if other != gold else None,
        )


def scores(read: Sequence[Read]) -> dict[str, Score]:
    """Means with bootstrap intervals, and the area under the curve of right paragraphs against others."""
    ones = [1.0] * len(read)
    columns = {
        "token F1": [r.f1 for r in read],
        "exact match": [r.exact for r in read],
        "right sentence": [r.right for r in read],
    }
    found = intervals([ratio(values, ones) for values in columns.values()], len(read))
    told = {name: (float(np.mean(v)), *i) for (name, v), i in zip(columns.items(), found, strict=True)}
    rights, wrongs = [r.sure for r in read], [r.beside for r in read if r.beside is not None]
    return told | ({"right paragraph, AUC": area(rights, wrongs)} if wrongs else {})


def area(rights: Sequence[float], wrongs: Sequence[float]) -> Score:
    """The area under the curve, ties half; interval after DeLong et al., Biometrics 44 (1988)."""
    gaps = np.array(rights)[:, None] - np.array(wrongs)
    wins = (gaps > 0) + (gaps == 0) / 2
    mean = float(wins.mean())
    spread = sum(float(np.var(wins.mean(axis=axis))) / wins.shape[1 - axis] for axis in (0, 1))
    return mean, mean - 1.96 * math.sqrt(spread), mean + 1.96 * math.sqrt(spread)
