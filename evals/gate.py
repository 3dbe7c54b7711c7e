"""Whether a run is good enough: hard limits, thresholds, a baseline. Prints nothing.

Against a baseline a metric fails when it is significantly worse by the paired test (two-sided p < .05).
Time and length are not held against a baseline: they move with the machine, or with a style that was
chosen; a threshold in the file holds them where somebody wants that.
"""

from collections.abc import Mapping

from evals.compare import SECONDS, compare, worse
from evals.run import short_of
from evals.runs import Run

FREE = frozenset({SECONDS, "median words"})
EXACTNESS = "quote exactness"


def failing(run: Run, limits: Mapping[str, float], baseline: Run | None = None) -> tuple[str, ...]:
    """Everything that is not good enough, a line each; empty when the run passes.

    A run that was stopped, a crash, and cases of the baseline that were not asked always fail; so does
    one inexact quote more than in the baseline, since that is never chance. Raises CompareError.
    """
    lines = [] if run.manifest.complete else ["the run was stopped before its end"]
    lines += [] if run.results else ["the run holds no result"]
    crashed = [r.id for r in run.results if r.error is not None]
    lines += [f"{len(crashed)} crashed, « {crashed[0]} » first"] if crashed else []
    values = {name: score.value for name, score in run.summary.scores.items()}
    lines += short_of(values, limits)
    if baseline and run.results:
        lines += _fallen(run, baseline)
    return tuple(lines)


def _fallen(run: Run, baseline: Run) -> list[str]:
    found = compare(baseline, run)
    lines = [f"{len(found.missing)} questions of the baseline were not asked"] if found.missing else []
    for name, test in found.tests.items():
        inexact = name == EXACTNESS and test.difference < 0
        if name not in FREE and (inexact or worse(name, test)):
            lines.append(
                f"{name} fell from {test.first:.3f} to {test.second:.3f} in {test.n} cases "
                f"({test.wins} higher, {test.losses} lower, p = {test.p:.2g}, {test.test})"
            )
    return lines
