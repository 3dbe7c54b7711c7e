"""Two runs of the same cases: each metric by a paired test, every changed answer. Prints nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from evals import wording
from evals.metrics import AT_MOST, PER_ANSWER
from evals.report import cell, shown
from evals.results import Result, Run
from evals.statistics import Paired, paired
from index.errors import RepereError

ALPHA = 0.05
REFUSALS, SECONDS = "refusal recall", "seconds"
LOWER = AT_MOST | {SECONDS}
Pair = tuple[Result, Result]


class CompareError(RepereError):
    """Two runs that have no question in common."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`tests` are over the questions as written, `changed` over all that both runs asked.

    `missing` and `added` are keys (case, variant) that only the first or only the second run has.
    """

    tests: Mapping[str, Paired]
    pairs: tuple[Pair, ...]
    changed: tuple[Pair, ...]
    missing: tuple[tuple[str, str], ...]
    added: tuple[tuple[str, str], ...]


def compare(first: Run, second: Run) -> Comparison:
    """Set two runs side by side, case by case. Raises CompareError when they share no question.

    Variants of one question are no independent cases: where the questions as written were asked, the
    tests are over these alone.
    """
    before = {r.key: r for r in first.results}
    after = {r.key: r for r in second.results}
    pairs = tuple((b, after[key]) for key, b in before.items() if key in after)
    if not pairs:
        raise CompareError(f"the runs « {first.folder} » and « {second.folder} » share no question")
    tested = [pair for pair in pairs if not pair[0].variant] or list(pairs)
    tests = {}
    for name, value in _measures().items():
        both = [
            (b, a) for b, a in ((value(b), value(a)) for b, a in tested) if b is not None and a is not None
        ]
        if both:
            tests[name] = paired([b for b, _ in both], [a for _, a in both])
    return Comparison(
        tests,
        pairs,
        tuple((b, a) for b, a in pairs if _said(b) != _said(a) or b.right != a.right),
        tuple(key for key in before if key not in after),
        tuple(key for key in after if key not in before),
    )


def _measures() -> dict[str, Callable[[Result], float | None]]:
    """What is compared case by case; precision and areas are of whole runs and cannot be."""

    def of(name: str) -> Callable[[Result], float | None]:
        return lambda result: result.values.get(name)

    return {
        **{name: of(name) for name in PER_ANSWER},
        REFUSALS: lambda result: float(result.refused) if result.refuse else None,
        SECONDS: lambda result: result.seconds,
    }


def _said(result: Result) -> tuple[object, ...]:
    """What a reader takes from it. Two refusals say the same, whatever subjects they name instead."""
    return "" if result.refused else result.answer, result.refused, result.error is None


def better(name: str, test: Paired) -> tuple[int, int]:
    """(wins, losses) of the second run, whichever way the metric points."""
    return (test.losses, test.wins) if name in LOWER else (test.wins, test.losses)


def fall(name: str, test: Paired) -> float:
    """By how much the second run is worse in the mean; below 0 where it is better."""
    return test.difference if name in LOWER else -test.difference


def worse(name: str, test: Paired) -> bool:
    """Whether the second run is significantly worse: two-sided p below .05, and the mean fell."""
    return fall(name, test) > 0 and test.p < ALPHA


def change(pair: Pair) -> str:
    """What became of a case: « fixed », « broken », or « changed » (right or wrong as before)."""
    before, after = pair
    return "changed" if before.right == after.right else "fixed" if after.right else "broken"


def _ordered(comparison: Comparison) -> list[Pair]:
    return sorted(comparison.changed, key=lambda pair: ("broken", "fixed", "changed").index(change(pair)))


def _counts(comparison: Comparison) -> str:
    kinds = [change(pair) for pair in comparison.changed]
    each = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("fixed", "broken", "changed"))
    only = f"; {len(comparison.missing)} only in the first run, {len(comparison.added)} only in the second"
    told = f"{len(kinds)} of {len(comparison.pairs)} answers changed: {each}"
    return told + only * bool(comparison.missing or comparison.added)


def _row(name: str, test: Paired) -> tuple[str, ...]:
    wins, losses = better(name, test)
    return (
        name,
        shown(name, test.first),
        shown(name, test.second),
        f"{test.difference:+.3f}",
        f"[{test.low:+.3f}, {test.high:+.3f}]",
        f"{wins}/{test.ties}/{losses}",
        f"{test.p:.3f}" if test.p >= 0.001 else "<.001",
        "" if test.p >= ALPHA else "worse" if worse(name, test) else "better" if test.difference else "",
    )


HEAD = ("metric", "first", "second", "change", "95 % interval", "win/tie/loss", "p", "")


def terminal(comparison: Comparison) -> str:
    """The tests as a table, then each changed answer under its question."""
    rows = [HEAD, *(_row(name, test) for name, test in comparison.tests.items())]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    lines = ["  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, "", _counts(comparison), changes(comparison)])


def changes(comparison: Comparison) -> str:
    """Each changed answer under its question, the broken ones first; empty when there is none."""
    lines = []
    for pair in _ordered(comparison):
        before, after = pair
        name = f"{before.id} ({before.variant})" if before.variant else before.id
        lines += [f"\n{change(pair)}  {name}: {before.question}"]
        lines += [f"  - {_answer(before)}", f"  + {_answer(after)}"]
    return "\n".join(lines)


def _answer(result: Result) -> str:
    text = f"crashed: {result.error}" if result.error else result.answer
    return " ".join((f"(refused) {text}" if result.refused else text).split())


def markdown(comparison: Comparison, title: str = "Comparison of two runs") -> str:
    """The same for a pull request, the changed answers side by side in a table."""
    lines = [f"### {title}", "", _counts(comparison), "", f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    lines += [f"| {' | '.join(_row(name, test))} |" for name, test in comparison.tests.items()]
    if comparison.changed:
        lines += ["", "| | question | before | after |", "|---|---|---|---|"]
    for pair in _ordered(comparison):
        before, after = pair
        texts = (before.question, _answer(before), _answer(after))
        lines.append(f"| {change(pair)} | {' | '.join(cell(text, 500) for text in texts)} |")
    return "\n".join(lines) + "\n"


STYLE = """
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .45rem .6rem; border-bottom: 1px solid #8886; vertical-align: top }
td { overflow-wrap: break-word }
.answers td { width: 31% }
.answers td:first-child { width: 7% }
.broken td:first-child { color: #c0392b; font-weight: 600 }
.fixed td:first-child { color: #27866b; font-weight: 600 }
@media (max-width: 40rem) {
  .answers :is(tr, td) { display: block; width: auto !important }
  .answers thead { display: none }
}
"""


def html(comparison: Comparison) -> str:
    """One self-contained French page with the tests and the answers side by side."""
    said = wording.COMPARISON
    head = tuple(map(wording.french, wording.COMPARISON_HEAD))
    tests = "".join(_tr(_row(name, test)) for name, test in comparison.tests.items())
    answers = "".join(
        _tr((wording.CHANGES[change(p)], p[0].question, _answer(p[0]), _answer(p[1])), change(p))
        for p in _ordered(comparison)
    )
    summary = wording.answers_changed(len(comparison.changed), len(comparison.pairs))
    return (
        '<!doctype html>\n<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{said['title']}</title><style>{STYLE}</style></head>"
        f"<body><h1>{said['heading']}</h1>"
        f'<p>{summary}</p><div class="scroll"><table><thead>{_tr(head, tag="th")}</thead><tbody>{tests}'
        f'</tbody></table></div><h2>{said["answers"]}</h2><table class="answers"><thead>'
        f"{_tr(wording.ANSWERS_HEAD, tag='th')}</thead><tbody>{answers}</tbody></table>"
        "</body></html>\n"
    )


def _tr(cells: tuple[str, ...], kind: str = "", tag: str = "td") -> str:
    return f'<tr class="{kind}">{"".join(f"<{tag}>{escape(text)}</{tag}>" for text in cells)}</tr>'
