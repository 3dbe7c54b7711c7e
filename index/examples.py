"""Which passage a question is about, learned from the documents' example questions.

A multinomial logistic regression (Hastie, Tibshirani and Friedman, The Elements of Statistical Learning,
2nd edition, section 4.4): example questions and sentences → their passage, or "" for the questions that
nothing answers. Told apart from each other, examples say more than the nearest one alone. It sees a text's
vector beside its words: the vector for what was put otherwise, the words for what tells two passages apart.
Knows nothing about files.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from index import french
from index.encoder import Vectors

LOOSENESS = 100.0  # inverse strength of the L2 penalty; index/training/README.md has what others gave
WORDS = 1.5  # length of a text's words, where its vector has length 1
SEEN = 2  # texts that hold a word or a piece of one, from which it counts
NOTHING = ""  # stands for the passage of a question that nothing answers
LARGEST = 20_000_000  # numbers in the (rows × passages) problem: a minute or two on two cores
MOST = 4_000_000  # numbers learned for words: 16 MB
# The greatest slope that the fit leaves: with scikit-learn's 1e-4, vectors that differ by 4e-5 move
# probabilities by up to .05, with this by .003.
SETTLED = 1e-6
FEW = 10  # example questions of a passage that say little: what they teach is worth 1 - 1/e


@dataclass(frozen=True, slots=True)
class Words:
    """Words, their pieces and neighbouring words that count, with their inverse document frequencies."""

    rows: dict[str, int]
    rarity: Vectors  # (rows)

    @staticmethod
    def of(texts: Sequence[frozenset[str]], most: int) -> "Words":
        """The commonest `most` terms of at least SEEN texts; rarity as in scikit-learn's TfidfVectorizer."""
        counts = Counter(term for text in texts for term in text)
        kept = sorted((t for t, n in counts.items() if n >= SEEN), key=lambda t: (-counts[t], t))[:most]
        rarity = [math.log((1 + len(texts)) / (1 + counts[t])) + 1 for t in kept]
        return Words({t: i for i, t in enumerate(kept)}, np.array(rarity, np.float32))

    def values(self, text: frozenset[str]) -> tuple[list[int], Vectors]:
        """The rows of a text's terms, in order, and their values: a vector of length WORDS, or nothing."""
        rows = sorted(self.rows[t] for t in text if t in self.rows)
        values = self.rarity[rows]
        return rows, values * (WORDS / max(float(np.linalg.norm(values)), 1e-9))


@dataclass(frozen=True, slots=True)
class Examples:
    """A question and its vector → the probability of each passage that it asks about it.

    `taught`, in [0, 1], is how far that is to be believed: it grows with the example questions of a passage.
    """

    ids: tuple[str, ...]
    weights: Vectors  # (dimensions + 1 + words × ids) log-odds but for a constant; the intercept in between
    words: Words
    taught: float

    def probabilities(self, question: str, vector: Vectors) -> dict[str, float]:
        """Of a question with its (1 × dimensions) vector, by passage; empty where nothing was learned.

        They sum to `taught`.
        """
        if not self.ids:
            return {}
        rows, values = self.words.values(terms(question))
        meaning, after = vector[0], vector.shape[1] + 1
        odds = meaning @ self.weights[: after - 1] + self.weights[after - 1]
        odds = odds + values @ self.weights[after:][rows]
        powers = np.exp(odds - odds.max())
        return dict(zip(self.ids, (powers * (self.taught / powers.sum())).tolist(), strict=True))


def terms(text: str) -> frozenset[str]:
    """Stems, pairs of neighbouring stems and n-grams of all words: the small ones tell questions apart."""
    words = french.words(text)
    stems = [french.stem(w) for w in words]
    grams = (g for w in words for g in french.word_ngrams(w))
    return frozenset((*grams, *(f"{s}_" for s in stems), *(f"{a}_{b}" for a, b in pairwise(stems))))


def fit(examples: Iterable[tuple[str, Sequence[str], Vectors]], dimensions: int, each: float) -> Examples:
    """Fit on (passage, its sentences and example questions, their vectors), `each` being how many example
    questions a passage has on average.

    Empty without two classes, one of them a passage, and when they are more than LARGEST allows.
    """
    known = [
        (identity, text, v) for identity, texts, vs in examples for text, v in zip(texts, vs, strict=True)
    ]
    ids = tuple(sorted({identity for identity, _, _ in known}))
    if len(ids) < 2 or len(known) * len(ids) > LARGEST:
        return Examples((), np.zeros((dimensions + 1, 0), np.float32), Words.of((), 0), 0.0)
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression  # takes a second to import; only builds need it
    from threadpoolctl import threadpool_limits

    held = [terms(text) for _, text, _ in known]
    words = Words.of(held, MOST // len(ids))
    found = [words.values(h) for h in held]
    starts = np.cumsum([0, *(len(rows) for rows, _ in found)])
    columns = np.concatenate([np.array(rows, int) for rows, _ in found])
    spelt = csr_matrix(
        (np.concatenate([v for _, v in found]), columns, starts), (len(known), len(words.rows))
    )
    x = hstack([csr_matrix(np.stack([v for _, _, v in known])), spelt], format="csr")
    y = np.searchsorted(ids, [identity for identity, _, _ in known])
    with threadpool_limits(1):  # eight times faster than two threads, and the same on every machine
        fitted = LogisticRegression(C=LOOSENESS, tol=SETTLED, max_iter=2000).fit(x, y)
    slopes, intercepts = fitted.coef_, fitted.intercept_
    if len(ids) == 2:  # scikit-learn gives the log-odds of the second alone
        slopes, intercepts = np.vstack([0 * slopes, slopes]), np.array([0.0, *intercepts])
    weights = np.vstack([slopes.T[:dimensions], intercepts, slopes.T[dimensions:]])
    return Examples(ids, weights.astype(np.float32), words, 1 - math.exp(-each / FEW))
