"""How sure a score is: bootstrap intervals, paired tests, risk–coverage, calibration. Knows no files.

A resample is a row of counts: how often each of the n cases was drawn. A score that is a ratio of sums
is then two matrix products for all resamples at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Places = np.ndarray[Any, np.dtype[np.intp]]
Statistic = Callable[[Array], Array]  # counts (resamples × n) → a value a resample; nan where undefined
RESAMPLES = 1000
BINS = 10
AT_ONCE = 2_000_000  # counts held in memory


@dataclass(frozen=True, slots=True)
class Paired:
    """The same cases in two runs. `difference` is second − first, with its 95 % bootstrap interval.

    `wins`: cases with the higher value in the second. `p` is two-sided, of the `test` that is named.
    """

    n: int
    first: float
    second: float
    difference: float
    low: float
    high: float
    wins: int
    ties: int
    losses: int
    p: float
    test: str


def resamples(n: int, seed: int, times: int = RESAMPLES) -> Iterator[Array]:
    """`times` resamples of `n` ≥ 1 cases, some rows at a time; the same for the same seed."""
    random = np.random.default_rng(seed)
    rows = max(1, AT_ONCE // n)
    for done in range(0, times, rows):
        now = min(rows, times - done)
        drawn = random.integers(0, n, (now, n)) + n * np.arange(now)[:, None]
        yield np.bincount(drawn.ravel(), minlength=now * n).reshape(now, n).astype(np.float64)


def intervals(
    statistics: Sequence[Statistic], n: int, seed: int = 0, times: int = RESAMPLES
) -> list[tuple[float, float]]:
    """The 95 % percentile bootstrap interval of each statistic over the same resamples of `n` cases.

    Both ends are nan where it is undefined in every resample. Source: Efron and Tibshirani, An
    Introduction to the Bootstrap (1993), 13.3.
    """
    drawn: list[list[Array]] = [[] for _ in statistics]
    for counts in resamples(n, seed, times):
        for values, statistic in zip(drawn, statistics, strict=True):
            values.append(statistic(counts))
    return [_interval(np.concatenate(values)) for values in drawn]


def ratio(over: Sequence[float], under: Sequence[float], empty: float = np.nan) -> Statistic:
    """Σ over / Σ under, `empty` where the latter is 0. A mean where `under` is 1 for each case."""
    both = np.array([over, under], dtype=np.float64).T

    def value(counts: Array) -> Array:
        sums = counts @ both
        return _divided(sums[:, 0], sums[:, 1], empty)

    return value


def quantile(values: Sequence[float], p: float) -> Statistic:
    """The `p`-th percentile, linear between the closest ranks; cases whose value is nan are left out."""
    given = np.array(values, dtype=np.float64)
    order = np.argsort(given)[: int(np.isfinite(given).sum())]
    ordered = given[order]

    def value(counts: Array) -> Array:
        if not len(ordered):
            return np.full(len(counts), np.nan)
        below = np.cumsum(counts[:, order], axis=1)
        place = np.maximum(below[:, -1] - 1, 0) * p / 100
        low = np.floor(place)
        last = len(ordered) - 1
        at = [np.minimum((below <= rank[:, None]).sum(axis=1), last) for rank in (low, np.ceil(place))]
        between = ordered[at[0]] + (place - low) * (ordered[at[1]] - ordered[at[0]])
        return np.where(below[:, -1] > 0, between, np.nan)

    return value


def risk_area(confidence: Sequence[float], wrong: Sequence[float]) -> Statistic:
    """Area under the risk–coverage curve: the mean risk among the k surest, over all k.

    Cases whose confidence is nan are left out. Among equally sure cases the order is unknown: the
    expected value over all orders counts, in closed form by harmonic numbers.
    """
    order, starts, errors = _surest_first(confidence, wrong)

    def value(counts: Array) -> Array:
        if not len(order):
            return np.full(len(counts), np.nan)
        drawn = counts[:, order]
        size = np.add.reduceat(drawn, starts, axis=1)
        bad = np.add.reduceat(drawn * errors, starts, axis=1)
        upto, bad_upto = np.cumsum(size, axis=1), np.cumsum(bad, axis=1)
        harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, upto.max() + 1))])
        rate = _divided(bad, size, 0.0)
        spread = harmonic[upto.astype(int)] - harmonic[(upto - size).astype(int)]
        area = (bad + (bad_upto - bad - (upto - size) * rate) * spread).sum(axis=1)
        return _divided(area, upto[:, -1])

    return value


def risk_coverage(
    confidence: Sequence[float], wrong: Sequence[float], n: int
) -> tuple[tuple[float, float], ...]:
    """(coverage, risk) after each distinct confidence, the surest first; coverage is a share of `n` cases.

    Source: El-Yaniv and Wiener, On the Foundations of Noise-free Selective Classification (2010).
    """
    order, starts, errors = _surest_first(confidence, wrong)
    bad = np.cumsum(errors)
    ends = [*starts[1:], len(order)] if len(order) else []
    return tuple((int(end) / n, float(bad[end - 1] / end)) for end in ends)


def reliability(confidence: Sequence[float], right: Sequence[float]) -> tuple[tuple[float, float, int], ...]:
    """(mean confidence, accuracy, n) of each of 10 bins of equal width that holds a case."""
    sure, hits = np.array(confidence, dtype=np.float64), np.array(right, dtype=np.float64)
    place = _bins(sure)
    found = ((sure[place == b], hits[place == b]) for b in range(BINS))
    return tuple((float(s.mean()), float(h.mean()), len(s)) for s, h in found if len(s))


def calibration_error(confidence: Sequence[float], right: Sequence[float]) -> Statistic:
    """Expected calibration error: Σ over the bins of |Σ confidence − Σ right| / n; nan is left out."""
    sure = np.array(confidence, dtype=np.float64)
    known = np.isfinite(sure)
    gaps = np.zeros((len(sure), BINS))
    gaps[known, _bins(sure[known])] = sure[known] - np.array(right, dtype=np.float64)[known]

    def value(counts: Array) -> Array:
        return _divided(np.abs(counts @ gaps).sum(axis=1), counts @ known)

    return value


def paired(first: Sequence[float], second: Sequence[float], seed: int = 0) -> Paired:
    """Compare the same n ≥ 1 cases in two runs.

    Right or wrong (only 0 and 1): McNemar's exact test; other values: Wilcoxon's signed-rank test. Sources:
    McNemar (1947); Wilcoxon (1945); Dror et al., The Hitchhiker's Guide to Testing Statistical
    Significance in NLP (2018).
    """
    from scipy.stats import binomtest, wilcoxon  # heavy, and only a comparison needs it

    before, after = np.array(first, dtype=np.float64), np.array(second, dtype=np.float64)
    change = after - before
    wins, losses = int((change > 0).sum()), int((change < 0).sum())
    if np.isin([before, after], (0.0, 1.0)).all():
        test = "McNemar, exact"
        p = float(binomtest(min(wins, losses), wins + losses).pvalue) if wins + losses else 1.0
    else:
        test = "Wilcoxon signed-rank"
        p = float(wilcoxon(change).pvalue) if wins + losses else 1.0
    low, high = intervals([ratio(change.tolist(), [1.0] * len(change))], len(change), seed)[0]
    return Paired(
        n=len(change),
        first=float(before.mean()),
        second=float(after.mean()),
        difference=float(change.mean()),
        low=low,
        high=high,
        wins=wins,
        ties=len(change) - wins - losses,
        losses=losses,
        p=p,
        test=test,
    )


def _surest_first(confidence: Sequence[float], wrong: Sequence[float]) -> tuple[Places, Places, Array]:
    """Places of the known cases, the surest first; where each distinct confidence starts; their errors."""
    sure = np.array(confidence, dtype=np.float64)
    order = np.argsort(-sure, kind="stable")[: int(np.isfinite(sure).sum())]
    ordered = sure[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(order) else order
    return order, starts, np.array(wrong, dtype=np.float64)[order]


def _divided(over: Array, under: Array, empty: float = np.nan) -> Array:
    out: Array = np.full(over.shape, empty)
    np.divide(over, under, out=out, where=under > 0)
    return out


def _bins(confidence: Array) -> Places:
    return np.minimum((confidence * BINS).astype(np.intp), BINS - 1)


def _interval(values: Array) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return np.nan, np.nan
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
