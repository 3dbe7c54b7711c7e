"""Which passage a question is about, learned from the documents' example questions.

A multinomial logistic regression (Hastie, Tibshirani and Friedman, The Elements of Statistical Learning,
2nd edition, section 4.4): vectors of example questions and of sentences → their passage, or "" for the
questions that nothing answers. Told apart from each other, examples say more than the nearest one alone.
Knows nothing about files.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from index.encoder import Vectors

LOOSENESS = 100.0  # inverse strength of the L2 penalty; index/training/README.md has what others gave
NOTHING = ""  # stands for the passage of a question that nothing answers
LARGEST = 20_000_000  # numbers in the (rows × passages) problem: a minute or two on two cores


@dataclass(frozen=True, slots=True)
class Examples:
    """The vector of a question → the probability of each passage that it asks about it."""

    ids: tuple[str, ...]
    weights: Vectors  # (dimensions + 1 × ids) log-odds but for a constant; the last row is the intercept

    def probabilities(self, vector: Vectors) -> dict[str, float]:
        """Of a (1 × dimensions) vector, by passage; empty when there is nothing to tell apart."""
        if not self.ids:
            return {}
        odds = vector[0] @ self.weights[:-1] + self.weights[-1]
        powers = np.exp(odds - odds.max())
        return dict(zip(self.ids, (powers / powers.sum()).tolist(), strict=True))


def fit(examples: Iterable[tuple[str, Vectors]], dimensions: int) -> Examples:
    """Fit on (passage, vectors of its sentences and example questions).

    Empty without two classes, one of them a passage, and when they are more than LARGEST allows.
    """
    rows: dict[str, list[Vectors]] = {}
    for identity, vectors in examples:
        if len(vectors):
            rows.setdefault(identity, []).append(vectors)
    ids = tuple(sorted(rows))
    counts = [sum(map(len, rows[identity])) for identity in ids]
    if len(ids) < 2 or sum(counts) * len(ids) > LARGEST:
        return Examples((), np.zeros((dimensions + 1, 0), np.float32))
    from sklearn.linear_model import LogisticRegression  # takes a second to import; only builds need it
    from threadpoolctl import threadpool_limits

    x = np.concatenate([v for identity in ids for v in rows[identity]])
    with threadpool_limits(1):  # eight times faster than two threads, and the same on every machine
        fitted = LogisticRegression(C=LOOSENESS, max_iter=2000).fit(x, np.repeat(np.arange(len(ids)), counts))
    slopes, intercepts = fitted.coef_, fitted.intercept_
    if len(ids) == 2:  # scikit-learn gives the log-odds of the second alone
        slopes, intercepts = np.vstack([0 * slopes, slopes]), np.array([0.0, *intercepts])
    return Examples(ids, np.vstack([slopes.T, intercepts]).astype(np.float32))
