"""Cases through a bot → results, in order, however many workers. Prints nothing, writes nothing."""

import itertools
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import yaml

from bot.answers import Answer, Question
from evals.cases import THRESHOLDS, Case, CaseFileError, compose
from evals.metrics import AT_MOST, METRICS, measure, wrong
from evals.replies import Reply, reply_of
from evals.runs import Result
from evals.targets import Target
from evals.variants import vary
from index.documents import Document


class Answers(Protocol):
    """Whatever answers in this process: the bot, the stock chain, a stand-in."""

    def invoke(self, question: Question, /) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a run: a case in one variant."""

    case: Case
    variant: str = ""
    seed: int = 0

    @property
    def question(self) -> Question:
        """What the bot is asked."""
        return Question(vary(self.case.question, self.variant, self.case.id, self.seed), self.case.history)


def run_cases(bot: Answers, cases: Sequence[Case], documents: Mapping[str, Document]) -> tuple[Result, ...]:
    """Ask each case in turn, as written. A crash is a failed case, not the end of the run."""
    target = Target("", lambda question: reply_of(bot.invoke(question)), retrieves=True)
    return tuple(run_all(target, map(Asked, cases), documents))


def run_all(
    target: Target,
    asked: Iterable[Asked],
    documents: Mapping[str, Document],
    workers: int = 1,
    *,
    answers: bool = True,
) -> Iterator[Result]:
    """The results in the order of `asked`. A few questions a worker are under way, no more are held.

    `answers`: else only passages are asked for and judged. With one worker each question is asked in the
    caller's own thread, when its result is wanted.
    """
    if workers == 1:
        for each in asked:
            yield result_of(target, each, documents, answers=answers)
        return
    pool = ThreadPoolExecutor(workers)
    waiting: deque[Future[Result]] = deque()
    questions = iter(asked)
    try:
        while True:
            for each in itertools.islice(questions, 4 * workers - len(waiting)):
                waiting.append(pool.submit(result_of, target, each, documents, answers=answers))
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def result_of(
    target: Target, asked: Asked, documents: Mapping[str, Document], *, answers: bool = True
) -> Result:
    """Ask one question and judge what comes back; an exception of the bot is a result as well."""
    question, case = asked.question, asked.case
    start = time.perf_counter()
    error = None
    try:
        reply = target.ask(question)
    except Exception as caught:  # noqa: BLE001 — whatever breaks in a bot is a result here
        error = f"{type(caught).__name__}: {caught}"
        reply = Reply("", passages=() if target.retrieves else None)
    seconds = time.perf_counter() - start
    values = _crashed(case, target, answers) if error else measure(case, reply, documents, answers=answers)
    why = f"crashed: {error}" if error else wrong(case, reply) if answers else _not_found(case, values)
    return Result(
        id=case.id,
        variant=asked.variant,
        question=question.text,
        history=case.history,
        tags=case.tags,
        refuse=case.refuse,
        facts=case.facts,
        forbidden=case.forbidden,
        documents=case.documents,
        answer=reply.text,
        standalone_question=reply.standalone_question,
        refused=reply.refused,
        reason=reply.reason,
        confidence=reply.confidence,
        citations=reply.citations or (),
        passages=reply.passages or (),
        seconds=round(seconds, 4),
        error=error,
        right=not why,
        why=why,
        values=values,
    )


def _crashed(case: Case, target: Target, answers: bool) -> dict[str, float | None]:
    """A crash counts 0 wherever a refusal would, and for the citations it says nothing."""
    passages = () if target.retrieves else None
    values = measure(case, Reply("", refused=True, passages=passages), {}, answers=answers)
    return {**values, "right cases": 0.0 if answers else None}


def _not_found(case: Case, values: Mapping[str, float | None]) -> str:
    return "no expected document among the first 10 passages" if values["hit@10"] == 0 else ""


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
