"""The pieces of a question beside those of a passage: late interaction, in numpy alone.

After ColBERT (Khattab and Zaharia, 2020, https://arxiv.org/abs/2004.12832): each piece of the question takes
its nearest piece of the text, and the cosines are averaged; here by a weight a piece, so that rare and
telling pieces count more. `index.interaction` makes the vectors and weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray[tuple[int, int], np.dtype[np.float32]]
Bytes = np.ndarray[tuple[int, int], np.dtype[np.int8]]
Ends = np.ndarray[tuple[int], np.dtype[np.int64]]
STEPS = 127  # of a coordinate on disk
AT_ONCE = 8  # passages compared with a question
WIDTH = 192  # of a piece's vector; see index/training/README.md for what others gave


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces of one text; none when the encoder has no late interaction."""

    vectors: Array  # (pieces × width) unit vectors
    ends: Ends  # where each ends in the text, in characters
    weights: np.ndarray[tuple[int], np.dtype[np.float32]]  # of each in a question; they sum to 1
    beside: Array  # (pieces × size) what `index.reading` takes of each, in a passage in its steps; or none

    def cuts(self, starts: Sequence[int]) -> tuple[int, ...]:
        """`cuts_of` its own pieces."""
        return cuts_of(self.ends, starts)

    def as_bytes(self) -> Bytes:
        """As a generation keeps them: the vectors in 1/127ths, then `beside` in its steps."""
        both = np.concatenate([self.vectors * STEPS, self.beside], axis=1)
        small: Bytes = np.rint(both).clip(-STEPS, STEPS).astype(np.int8)
        return small


def cuts_of(ends: Ends, starts: Sequence[int]) -> tuple[int, ...]:
    """The first piece of each of some sentences, by the characters they start at, and the last of all."""
    return (*(int(i) for i in np.searchsorted(ends, starts, side="right")), len(ends))


_NO_ROWS = np.zeros((0, 0), np.float32)
NONE = Pieces(_NO_ROWS, np.zeros(0, np.int64), np.zeros(0, np.float32), _NO_ROWS)


@dataclass(frozen=True, slots=True)
class Match:
    """How the pieces of a question are met: the best cosine of each in the title and in each sentence."""

    cosines: Array  # (1 + sentences × pieces of the question)
    weights: np.ndarray[tuple[int], np.dtype[np.float32]]

    @property
    def whole(self) -> float:
        """Late interaction of the question with title and passage, in [-1, 1]."""
        return float(self.cosines.max(axis=0) @ self.weights)

    @property
    def sentences(self) -> tuple[float, ...]:
        """Late interaction of the question with the title and each sentence, in [-1, 1]."""
        scores: list[float] = (np.maximum(self.cosines[1:], self.cosines[0]) @ self.weights).tolist()
        return tuple(scores)

    @property
    def unmet(self) -> float:
        """How far the telling piece that is met worst is from title and passage, in [0, 2]."""
        telling = self.weights >= self.weights.mean()
        return float((1 - self.cosines.max(axis=0)[telling]).max())


def match(question: Pieces, passages: Sequence[tuple[Bytes, Sequence[int]]]) -> list[Match]:
    """Compare a question with passages whose titles end, and whose sentences start, at their cuts; the last
    cut is the end of all. A few at once: one by one takes longer, and all in one more memory.
    """
    parts = [passages[i : i + AT_ONCE] for i in range(0, len(passages), AT_ONCE)]
    return [met for part in parts for met in _match(question, part)]


def _match(question: Pieces, passages: Sequence[tuple[Bytes, Sequence[int]]]) -> list[Match]:
    width = question.vectors.shape[1]
    told = np.concatenate([pieces[:, :width] for pieces, _ in passages])
    near = told.astype(np.float32) @ (question.vectors.T / STEPS)
    ends = np.cumsum([len(pieces) for pieces, _ in passages])
    starts = [end - len(pieces) for end, (pieces, _) in zip(ends, passages, strict=True)]
    firsts = np.concatenate(
        [[a, *(a + c for c in cuts[:-1])] for a, (_, cuts) in zip(starts, passages, strict=True)]
    )
    filled = np.diff(firsts, append=ends[-1]) > 0
    cosines = np.full((len(firsts), len(question.weights)), -1.0, dtype=np.float32)
    if filled.any():
        cosines[filled] = np.maximum.reduceat(near, firsts[filled], axis=0)
    rows = np.cumsum([len(cuts) for _, cuts in passages])[:-1]
    return [Match(part, question.weights) for part in np.split(cosines, rows)]
