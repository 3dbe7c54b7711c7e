"""Whether a run is good enough: hard limits, thresholds, a baseline. Prints nothing.

Against a baseline a metric fails when its mean fell by more than a tolerance, or is significantly worse by
the paired test (two-sided p < .05). The bot answers alike every time, so that in a few hundred cases one
that is lost counts, whereas in thousands a few may. Time and length are not held against a baseline: they
move with the machine, or with a style that was chosen; a threshold holds them where somebody wants that.
"""

from collections.abc import Mapping
from pathlib import Path

import yaml

from evals.cases import THRESHOLDS, CaseFileError, compose
from evals.compare import SECONDS, compare, fall, worse
from evals.metrics import AT_MOST, METRICS
from evals.results import Run

FREE = frozenset({SECONDS, "median words"})
EXACTNESS = "quote exactness"
TOLERANCE = 0.005  # of a mean, in its own unit: a share in [0, 1]


def failing(
    run: Run, limits: Mapping[str, float], baseline: Run | None = None, tolerance: float = TOLERANCE
) -> tuple[str, ...]:
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
        lines += _fallen(run, baseline, tolerance)
    return tuple(lines)


def _fallen(run: Run, baseline: Run, tolerance: float) -> list[str]:
    found = compare(baseline, run)
    lines = [f"{len(found.missing)} questions of the baseline were not asked"] if found.missing else []
    for name, test in found.tests.items():
        allowed = 0.0 if name == EXACTNESS else tolerance
        if name not in FREE and (fall(name, test) > allowed or worse(name, test)):
            lines.append(
                f"{name} fell from {test.first:.3f} to {test.second:.3f} in {test.n} cases "
                f"({test.wins} higher, {test.losses} lower, p = {test.p:.2g}, {test.test})"
            )
    return lines


def read_thresholds(folder: Path) -> dict[str, float]:
    """The limits of `folder` (or of a file), by name of score; none when the folder has no such file.

    Raises CaseFileError with every mistake and its line.
    """
    path = folder / THRESHOLDS if folder.is_dir() else folder
    problems: list[str] = []
    limits: dict[str, float] = {}
    node = compose(path, problems) if path.exists() or path == folder else yaml.MappingNode("", [])
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            where = f"{path}:{key.start_mark.line + 1}"
            if key.value not in METRICS:
                problems.append(f"{where}: unknown score « {key.value} »; known: {', '.join(METRICS)}")
            try:
                limits[str(key.value)] = float(value.value)
            except (TypeError, ValueError):
                problems.append(f"{where}: « {key.value} » must be a number")
    elif node is not None:
        problems.append(f"{path}:1: expected « score: number » lines")
    if problems:
        raise CaseFileError(tuple(problems))
    return limits


def short_of(values: Mapping[str, float | None], limits: Mapping[str, float]) -> tuple[str, ...]:
    """The scores on the wrong side of their limits, each « name 0.690, must be at least 0.700 ».

    A score that applies to no case of the run is on neither side.
    """
    found = ((name, values.get(name), limit) for name, limit in limits.items())
    return tuple(
        f"{name} {value:.3f}, must be at {'most' if name in AT_MOST else 'least'} {limit:.3f}"
        for name, value, limit in found
        if value is not None and (value > limit if name in AT_MOST else value < limit)
    )
