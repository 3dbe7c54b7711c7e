"""Questions → results, in order, however many workers. Prints nothing, writes nothing."""

import itertools
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from typing import Protocol

from bot.answers import Answer, Question
from evals.cases import Case
from evals.metrics import measure, wrong
from evals.replies import Reply, reply_of
from evals.results import Result
from evals.targets import Target, TargetOptions, open_target
from evals.variants import vary
from index.documents import Document, read_knowledge


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
    return tuple(result_of(target, Asked(case), documents) for case in cases)


Examine = Callable[[Asked], Result]


def examiner(options: TargetOptions) -> Examine:
    """Open the target and read the documents that its quotes are checked against.

    Raises TargetError, IndexProblem or EncoderMissing.
    """
    target = open_target(options)
    documents = {d.id: d for d in read_knowledge(options.knowledge, skip_bad=True).documents}
    return lambda asked: result_of(target, asked, documents, answers=not options.retrieval_only)


def run_all(
    options: TargetOptions, asked: Iterable[Asked], workers: int = 1
) -> Generator[Result, None, None]:
    """The results in the order of `asked`. A few questions a worker are under way, no more are held.

    One worker is this process; several are processes of their own, each with the target opened anew.
    Raises what `examiner` raises.
    """
    if workers == 1:
        yield from map(examiner(options), asked)
        return
    waiting: deque[Future[Result]] = deque()
    questions = iter(asked)
    with ProcessPoolExecutor(workers, get_context("spawn"), _ignore_ctrl_c) as pool:
        try:
            while True:
                for each in itertools.islice(questions, 4 * workers - len(waiting)):
                    waiting.append(pool.submit(_examine, options, each))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _ignore_ctrl_c() -> None:
    """Ctrl-C reaches every process of the terminal; the one that writes the run decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@cache
def _opened(options: TargetOptions) -> Examine:
    return examiner(options)


def _examine(options: TargetOptions, asked: Asked) -> Result:
    return _opened(options)(asked)


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
