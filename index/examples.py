"""Which passage a question is about, learned from the documents' example questions.

A ridge regression of an indicator matrix (Hastie, Tibshirani and Friedman, The Elements of Statistical
Learning, 2nd edition, section 4.2): vectors of example questions and of sentences → their passage, or "" for
the questions that nothing answers. Told apart from each other, examples say more than the nearest one alone.
Knows nothing about files.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from index.encoder import Vectors

RIDGE = 1.0  # see index/training/README.md for what others gave
NOTHING = ""  # stands for the passage of a question that nothing answers


@dataclass(frozen=True, slots=True)
class Examples:
    """A linear map: the vector of a question → a score a passage, near 1 for one that it asks about."""

    ids: tuple[str, ...]
    weights: Vectors  # (dimensions + 1 × ids); the last row is the intercept

    def scores(self, vector: Vectors) -> dict[str, float]:
        """The scores of a (1 × dimensions) vector, by passage; empty when no document has examples."""
        if not self.ids:
            return {}
        found = vector[0] @ self.weights[:-1] + self.weights[-1]
        return dict(zip(self.ids, found.tolist(), strict=True))


def fit(examples: Iterable[tuple[str, Vectors]], dimensions: int) -> Examples:
    """Fit on (passage, vectors of its sentences and example questions)."""
    rows: dict[str, list[Vectors]] = {}
    for identity, vectors in examples:
        if len(vectors):
            rows.setdefault(identity, []).append(vectors)
    if not rows.keys() - {NOTHING}:
        return Examples((), np.zeros((dimensions + 1, 0), np.float32))
    ids = tuple(rows)
    x = np.concatenate([v for parts in rows.values() for v in parts]).astype(np.float64)
    counts = np.array([sum(map(len, parts)) for parts in rows.values()])
    centre, mean = x.mean(axis=0), counts / len(x)
    x -= centre
    sums = np.add.reduceat(x, np.cumsum([0, *counts[:-1]]), axis=0)  # = indicators.T @ x
    slopes = np.linalg.solve(x.T @ x + RIDGE * np.eye(dimensions), sums.T)
    return Examples(ids, np.vstack([slopes, mean - centre @ slopes]).astype(np.float32))
