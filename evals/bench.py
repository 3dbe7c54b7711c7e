"""Speed and quality of the bot beside the stock LangChain chain and BM25 alone. Prints nothing."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.answers import Question
from evals import metrics
from evals.cases import Case
from evals.run import Answers, run_cases
from evals.scores import values_of
from index.documents import Document
from index.errors import RepereError

LOWER = ("cold start, s", "warm p50, ms", "warm p95, ms", "median words")  # less is better
HIGHER = ("hit@1", "MRR@10", "answer accuracy")
STOCK_ONCE = "import sys; from evals.baselines import answer_once; answer_once(*sys.argv[1:])"


class ColdStartError(RepereError):
    """A command that was to be timed ended in an error."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of each chain, ours first; None where a chain is not installed or not measured."""

    name: str
    values: Mapping[str, float | None]

    def ratio(self, other: str) -> float | None:
        """How many times better ours is than `other`: above 1 it wins. None without two values above 0."""
        ours, theirs = next(iter(self.values.values())), self.values[other]
        if not theirs or not ours:
            return None
        return theirs / ours if self.name in LOWER else ours / theirs


def cold_bot(question: str, index: Path) -> list[str]:
    """The command that answers one question from a cold shell."""
    return [sys.executable, "-m", "bot", "ask", question, "--index", str(index)]


def cold_stock(question: str, knowledge: Path) -> list[str]:
    """The same for the stock chain, which embeds the knowledge anew."""
    return [sys.executable, "-c", STOCK_ONCE, str(knowledge), question]


def cold_start(command: Sequence[str], runs: int) -> float:
    """The median seconds of `runs` runs of a command, each in a fresh process.

    Raises ColdStartError when it exits neither 0 (answered) nor 1 (refused).
    """
    seconds: list[float] = []
    for _ in range(runs):
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, check=False)
        seconds.append(time.perf_counter() - start)
        if done.returncode not in (0, 1):
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise ColdStartError(f"« {' '.join(command[1:4])} » failed: {' '.join(last)}")
    return metrics.percentile(seconds, 50)


def warm(
    chain: Answers, cases: Sequence[Case], documents: Mapping[str, Document], cold_seconds: float | None
) -> dict[str, float | None]:
    """The measures of one chain over the cases, each asked once after one question that does not count."""
    chain.invoke(Question("À quoi sert un échauffement ?"))
    values = values_of(run_cases(chain, cases, documents))
    scores = {name: value or 0.0 for name, value in values.items()}
    return {
        "cold start, s": cold_seconds,
        "warm p50, ms": scores["latency p50"],
        "warm p95, ms": scores["latency p95"],
        "median words": scores["median words"],
        **{name: scores[name] for name in HIGHER},
    }


def bench_rows(chains: Mapping[str, Mapping[str, float | None]]) -> tuple[Row, ...]:
    """The chains side by side, by name, ours first; a measure that a chain lacks is None."""
    names = next(iter(chains.values()))
    return tuple(Row(name, {chain: v.get(name) for chain, v in chains.items()}) for name in names)
