"""Results → the scores of a run: values, intervals, tags, variants, curves. Reads and prints nothing."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evals.metrics import METRICS, PER_ANSWER
from evals.results import Result, Score, Summary
from evals.statistics import (
    Statistic,
    calibration_error,
    intervals,
    quantile,
    ratio,
    reliability,
    risk_area,
    risk_coverage,
)

NAN = math.nan


@dataclass(frozen=True, slots=True)
class Row:
    """What scores need of one result: none of its texts, so that 10,000 take little memory."""

    variant: str
    tags: tuple[str, ...]
    right: bool
    refuse: bool
    refused: bool
    confidence: float  # nan unless an answer was given with one
    quotes: int
    milliseconds: float
    values: tuple[float, ...]  # in the order of PER_ANSWER; nan where one does not apply

    @classmethod
    def of(cls, result: Result) -> "Row":
        """The row of one result."""
        sure = result.confidence if result.error is None and not result.refused else None
        known = (result.values.get(name) for name in PER_ANSWER)
        return cls(
            result.variant,
            result.tags,
            result.right,
            result.refuse,
            result.refused,
            NAN if sure is None else min(1.0, max(0.0, sure)),
            len(result.citations),
            1000 * result.seconds,
            tuple(NAN if value is None else value for value in known),
        )


def summarise(results: Iterable[Result], seed: int = 0) -> Summary:
    """The scores of a run; the intervals are of the questions as written, drawn with `seed`."""
    rows = [Row.of(result) for result in results]
    written = [row for row in rows if not row.variant]
    tags = sorted({tag for row in written for tag in row.tags})
    variants = dict.fromkeys(row.variant for row in rows)
    sure = [row.confidence for row in written]
    known = [row for row in written if math.isfinite(row.confidence)]
    return Summary(
        scores=_scores(written, seed),
        tags={tag: _scores([row for row in written if tag in row.tags], seed) for tag in tags},
        variants={v: _values([row for row in rows if row.variant == v]) for v in variants},
        risk_coverage=risk_coverage(sure, [not row.right for row in written], len(written)),
        reliability=reliability([row.confidence for row in known], [row.right for row in known]),
        latencies=tuple(round(row.milliseconds / 1000, 4) for row in written),
    )


def values_of(results: Iterable[Result]) -> Mapping[str, float | None]:
    """The values of METRICS alone, without intervals; None where one applies to no case."""
    return _values([Row.of(result) for result in results])


def _scores(rows: Sequence[Row], seed: int) -> dict[str, Score]:
    found = _statistics(rows)
    names = [name for name, (_, n) in found.items() if n]
    values = _values(rows)
    ends = intervals([found[name][0] for name in names], len(rows), seed) if names else []
    between = dict(zip(names, ends, strict=True))
    scores = {}
    for name, (_, n) in found.items():
        low, high = between.get(name, (NAN, NAN))
        scores[name] = Score(values[name], _known(low), _known(high), n)
    return scores


def _values(rows: Sequence[Row]) -> dict[str, float | None]:
    once = np.ones((1, len(rows)))
    return {name: _known(float(f(once)[0])) if n else None for name, (f, n) in _statistics(rows).items()}


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _statistics(rows: Sequence[Row]) -> dict[str, tuple[Statistic, int]]:
    """For each metric how it is computed of a resample, and over how many cases."""
    columns = {name: [row.values[i] for row in rows] for i, name in enumerate(PER_ANSWER)}
    found: dict[str, tuple[Statistic, int]] = {}
    for name, column in columns.items():
        applies = [math.isfinite(value) for value in column]
        weights = [float(row.quotes) for row in rows] if name == "quote exactness" else [1.0] * len(rows)
        under = [w if a else 0.0 for w, a in zip(weights, applies, strict=True)]
        over = [v * u if u else 0.0 for v, u in zip(column, under, strict=True)]
        statistic = quantile(column, 50) if name == "median words" else ratio(over, under)
        found[name] = statistic, sum(applies)
    refused = [float(row.refused) for row in rows]
    due = [float(row.refuse) for row in rows]
    both = [did * should for did, should in zip(refused, due, strict=True)]
    answered = any(math.isfinite(value) for value in columns["right cases"])  # else retrieval alone
    asked = len(rows) * (answered and any(due))
    found["refusal precision"] = ratio(both, refused, empty=1.0), asked
    found["refusal recall"] = ratio(both, due, empty=1.0), asked
    either = [did + should for did, should in zip(refused, due, strict=True)]
    found["refusal F1"] = ratio([2 * b for b in both], either, empty=1.0), asked
    sure = [row.confidence for row in rows]
    known = sum(math.isfinite(value) for value in sure) * answered
    found["risk–coverage area"] = risk_area(sure, [float(not row.right) for row in rows]), known
    found["calibration error"] = calibration_error(sure, [float(row.right) for row in rows]), known
    times = [row.milliseconds for row in rows]
    found["latency p50"] = quantile(times, 50), len(rows)
    found["latency p95"] = quantile(times, 95), len(rows)
    return {name: found[name] for name in METRICS}
