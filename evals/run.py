"""Cases through a bot → outcomes → scores. Prints nothing; `evals.report` does."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import yaml
from tqdm import tqdm

from bot.answers import Answer, Question
from evals import metrics
from evals.cases import THRESHOLDS, Case, CaseFileError, compose
from index.documents import Document

AT_MOST = frozenset({"median words", "latency p50", "latency p95"})  # lower is better
SCORES = (
    "hit@1",
    "hit@5",
    "MRR@10",
    "answer accuracy",
    "citation accuracy",
    "quote exactness",
    "refusal precision",
    "refusal recall",
    "median words",
    "latency p50",
    "latency p95",
)


class Answers(Protocol):
    """Whatever answers: the bot, the stock chain, a stand-in."""

    def invoke(self, question: Question, /) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case. `problem` is empty when the answer is right; a crash has no answer."""

    case: Case
    answer: Answer | None
    problem: str
    cited: bool
    seconds: float

    @property
    def ranked(self) -> tuple[str, ...]:
        """The document ids of the retrieved passages, best first; none after a crash."""
        return tuple(p.passage.document_id for p in self.answer.passages) if self.answer else ()

    @property
    def refused(self) -> bool:
        return self.answer is not None and self.answer.refused


@dataclass(frozen=True, slots=True)
class Scores:
    """The values of SCORES (shares in [0, 1], words, milliseconds) and the answer accuracy by tag."""

    values: Mapping[str, float]
    by_tag: Mapping[str, tuple[int, int]]  # tag → right, all


def run_cases(bot: Answers, cases: Sequence[Case], documents: Mapping[str, Document]) -> tuple[Outcome, ...]:
    """Ask each case in turn. A crash is a failed case, not the end of the run."""
    bar = tqdm(cases, desc="evals", unit="case", disable=not sys.stderr.isatty())
    return tuple(_outcome(bot, case, documents) for case in bar)


def _outcome(bot: Answers, case: Case, documents: Mapping[str, Document]) -> Outcome:
    start = time.perf_counter()
    try:
        answer = bot.invoke(case.asked)
    except Exception as error:  # noqa: BLE001 — whatever breaks in a bot is a result here
        return Outcome(case, None, f"crashed: {type(error).__name__}: {error}", False, _since(start))
    seconds = _since(start)
    cited = metrics.well_cited(case, answer, documents)
    return Outcome(case, answer, metrics.wrong(case, answer), cited, seconds)


def _since(start: float) -> float:
    return time.perf_counter() - start


def score(outcomes: Sequence[Outcome], documents: Mapping[str, Document]) -> Scores:
    """Sum up a run.

    Ranks and answer accuracy are over the cases to answer, refused and crashed ones counting zero;
    citation accuracy and words are over those of them that got an answer; quote exactness is over
    every citation given; latencies are over all cases.
    """
    to_answer = [o for o in outcomes if not o.case.refuse]
    answered = [o for o in to_answer if o.answer and not o.refused]
    quotes = [metrics.exact(c, documents) for o in outcomes if o.answer for c in o.answer.citations]
    refused = [o.refused for o in outcomes]
    expected = [o.case.refuse for o in outcomes]
    milliseconds = [1000 * o.seconds for o in outcomes]

    def average(measure: Callable[[Outcome], float], over: Iterable[Outcome]) -> float:
        return metrics.mean([measure(o) for o in over])

    values = (
        average(lambda o: metrics.hit(o.ranked, o.case.documents, 1), to_answer),
        average(lambda o: metrics.hit(o.ranked, o.case.documents, 5), to_answer),
        average(lambda o: metrics.reciprocal_rank(o.ranked, o.case.documents), to_answer),
        average(lambda o: not o.problem, to_answer),
        average(lambda o: o.cited, answered),
        metrics.mean(quotes) if quotes else 1.0,
        metrics.precision(refused, expected),
        metrics.recall(refused, expected),
        metrics.percentile([metrics.words(o.answer.text) for o in answered if o.answer], 50),
        metrics.percentile(milliseconds, 50),
        metrics.percentile(milliseconds, 95),
    )
    return Scores(dict(zip(SCORES, values, strict=True)), _by_tag(outcomes))


def _by_tag(outcomes: Sequence[Outcome]) -> dict[str, tuple[int, int]]:
    tags = sorted({tag for o in outcomes for tag in o.case.tags})
    right = {tag: [not o.problem for o in outcomes if tag in o.case.tags] for tag in tags}
    return {tag: (sum(found), len(found)) for tag, found in right.items()}


def read_thresholds(folder: Path) -> dict[str, float]:
    """The limits of `folder`, by name of score; none when the file is missing.

    Raises CaseFileError with every mistake and its line.
    """
    path = folder / THRESHOLDS
    problems: list[str] = []
    limits: dict[str, float] = {}
    node = compose(path, problems) if path.exists() else yaml.MappingNode("", [])
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            where = f"{path}:{key.start_mark.line + 1}"
            if key.value not in SCORES:
                problems.append(f"{where}: unknown score « {key.value} »; known: {', '.join(SCORES)}")
            try:
                limits[str(key.value)] = float(value.value)
            except (TypeError, ValueError):
                problems.append(f"{where}: « {key.value} » must be a number")
    elif node is not None:
        problems.append(f"{path}:1: expected « score: number » lines")
    if problems:
        raise CaseFileError(tuple(problems))
    return limits


def short_of(values: Mapping[str, float], limits: Mapping[str, float]) -> tuple[str, ...]:
    """The scores on the wrong side of their limits, each « name 0.690, must be at least 0.700 »."""
    return tuple(
        f"{name} {values[name]:.3f}, must be at {'most' if name in AT_MOST else 'least'} {limit:.3f}"
        for name, limit in limits.items()
        if (values[name] > limit if name in AT_MOST else values[name] < limit)
    )
