"""Fit the reader: which sentence answers, how sure that is, and below which confidence to refuse.

Three sources. A SQuAD-format file of French questions, of which only the held-out articles are used, which
the encoder has never seen; the reviewed cases of this knowledge, as it is and with fewer example questions;
and those of other organisations (WORLDS). Every question is also asked of passages from which its answer
was taken away (taken), and questions of another world are asked (far); the cases have real questions about
what the documents leave out (near), and are asked with another year, month or name in them (swapped).

A fifth of the articles and of the cases is the test split (`evals.cases.in_test_split`): weights and
threshold are fitted and chosen on the others, the dev split, and then tried once on the test split.
"""

import json
import os
import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bot.followups import standalone
from bot.reader import FEATURES, MODEL, PASSAGES_READ, features, margins, probabilities
from bot.spelling import search
from evals.cases import Case, group_of, in_test_split, read_cases
from evals.metrics import missing_facts
from evals.statistics import calibration_error
from evals.swaps import swapped
from index import french
from index.build import build
from index.encoder import Encoder
from index.judges import QuestionAnswering, Reranker, judge_of
from index.passages import EXAMPLES, RankedPassage
from index.retriever import HybridRetriever
from index.training.data import Question, held_out

Array = np.ndarray[Any, np.dtype[np.float64]]
Hits = tuple[RankedPassage, ...]
Judge = QuestionAnswering | Reranker | None
FOLDS = 10
THRESHOLDS = tuple(step / 100 for step in range(5, 71))
REPEATED = 0.95  # cosine from which a case asks what an example question asks
PENALTY = 50.0  # L2, of the ranking weights; index/training/README.md has what others gave
TOLD = 5  # one row in so many is printed
FAR_ASKED = 150  # questions of another world asked of this knowledge
# How much a question counts in the fit. The file's are many more than the reviewed cases; a case whose answer
# was taken away is easier than a real question about what the documents leave out.
WEIGHTS = {"answerable": 15.0, "near": 20.0, "far": 20.0, "taken": 3.0, "swapped": 20.0}
SOURCES = {"cases": 1.0, "fewer": 0.3, "worlds": 1.0}
IN_RANKING = {"worlds": 0.3}  # of that, where sentences are told apart
IN_FILE = 2.0
FEWER = (30, 10, 3, 0)  # example questions left to each section, for knowledge that has few or none
WORLDS = Path(__file__).parent / "worlds"  # other organisations, a folder each: documents and cases


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as the reader saw it: a row of features a sentence, and which sentences answer."""

    source: str  # "file", "cases", "worlds", or "fewer" for cases asked of this knowledge with FEWER examples
    kind: str  # "answerable", "near", "taken", "swapped" or "far"
    group: str  # article or case: never on both sides of a fold
    rows: Array
    right: Array

    @property
    def weight(self) -> float:
        """How much it counts in the fit."""
        return IN_FILE if self.source == "file" else WEIGHTS[self.kind] * SOURCES[self.source]

    @property
    def ranking_weight(self) -> float:
        """The same, in the fit of the ranking."""
        return self.weight * IN_RANKING.get(self.source, 1.0)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a calibration found: the weights, the threshold, and how it did on either split.

    `rows` are the trade-off of `trade_off` on the cases of the dev split, cross-validated; `test` is one
    such row at the threshold on the test split, empty when that holds no case of a kind.
    """

    rank: Array
    sure: Array
    threshold: float
    questions: dict[str, int]
    rows: list[dict[str, float]]
    test: dict[str, float]


def calibrate(
    cases: Sequence[Case],
    items: Sequence[Question],
    index: Path,
    encoder: Encoder,
    near: float,
    far: float,
    say: Callable[[str], object],
) -> Fitted:
    """Fit on the dev split, choose the threshold there, then look at the test split for the first time.

    `near` and `far` are the shares of such questions to refuse, in [0, 1]; `say` is told each table.
    """
    judge = judge_of(os.environ.get("REPERE_READER", ""))
    dev = (
        [c for c in cases if not in_test_split(group_of(c))],
        [i for i in items if not in_test_split(i.title)],
    )
    test = [c for c in cases if in_test_split(group_of(c))], [i for i in items if in_test_split(i.title)]
    asked = observe(*dev, index, encoder, judge) + observe_fewer(*dev, index, encoder, judge)
    asked += observe_worlds(encoder, judge)
    sure, right = cross_validated(asked)
    for source in ("file", "fewer", "worlds", "cases"):
        say(f"\n{source}, dev split, cross-validated ({_counted(asked, source)})")
        for row in trade_off(asked, sure, right, source)[::TOLD]:
            say(_line(row))
    rows = trade_off(asked, sure, right, "cases")
    threshold = best_threshold(rows, near, far)
    say(f"\nthreshold {threshold}")
    rank, weights = fit(asked)
    unseen = observe(*test, index, encoder, judge)
    tops, right = top_rows(unseen, rank)
    tried = trade_off(unseen, probabilities(tops, tuple(weights)), right, "cases", (threshold,))
    say(f"\ncases, test split ({_counted(unseen, 'cases')})\n{_line(tried[0])}")
    counts = Counter(f"{a.source} {a.kind}" for a in asked)
    return Fitted(rank, weights, threshold, dict(sorted(counts.items())), rows, tried[0])


def _counted(asked: list[Asked], source: str) -> str:
    kinds = Counter(a.kind for a in asked if a.source == source)
    return ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))


def _line(row: dict[str, float]) -> str:
    return "  ".join(f"{key} {value:.3f}" for key, value in row.items())


def observe(
    cases: Sequence[Case], items: Sequence[Question], index: Path, encoder: Encoder, judge: Judge
) -> list[Asked]:
    """Ask the cases, some foreign questions, and the questions of the file."""
    asked = observe_cases(cases, _strangers(items), index, encoder, judge)
    return asked + observe_file(items, encoder, judge)


def observe_fewer(
    cases: Sequence[Case], items: Sequence[Question], index: Path, encoder: Encoder, judge: Judge
) -> list[Asked]:
    """Ask the cases and the foreign questions of the same knowledge with FEWER example questions."""
    documents = list(HybridRetriever(index=index, encoder=encoder).generation().documents)
    strangers = _strangers(items)
    asked: list[Asked] = []
    for count in FEWER:
        chance = random.Random(count)
        with tempfile.TemporaryDirectory() as folder:
            texts = [(d.title, with_fewer(d.text, count, chance)) for d in documents]
            _indexed(texts, Path(folder), encoder)
            asked += observe_cases(cases, strangers, Path(folder) / "index", encoder, judge)
    return [replace(a, source="fewer") for a in asked]


def observe_worlds(encoder: Encoder, judge: Judge) -> list[Asked]:
    """Ask the cases of other organisations, whose documents have no example questions."""
    asked: list[Asked] = []
    for world in sorted(folder for folder in WORLDS.iterdir() if folder.is_dir()):
        with tempfile.TemporaryDirectory() as folder:
            build(world / "knowledge", Path(folder), encoder=encoder)
            found = observe_cases(read_cases(world), [], Path(folder), encoder, judge)
        asked += [replace(a, source="worlds", group=world.name) for a in found]
    return asked


def with_fewer(text: str, count: int, chance: random.Random) -> str:
    """A document with `count` example questions drawn of each section's, and as many that nothing answers."""

    def drawn(found: re.Match[str]) -> str:
        lines = found[2].strip().splitlines()
        kept = "\n".join(chance.sample(lines, min(count, len(lines))))
        return f"<!-- {found[1]}\n{kept}\n-->" if kept else ""

    return EXAMPLES.sub(drawn, text)


def _strangers(items: Sequence[Question]) -> list[str]:
    foreign = [i.question for i in items if not held_out(i.title)]
    return foreign[:: max(1, len(items) // FAR_ASKED)]


def _indexed(texts: Sequence[tuple[str, str]], folder: Path, encoder: Encoder) -> None:
    """Index documents, each by its number, in the folder « index » of a folder."""
    knowledge = folder / "knowledge"
    knowledge.mkdir()
    for number, (title, text) in enumerate(texts):
        front = f"---\ntitle: {json.dumps(title)}\n---\n"
        (knowledge / f"{number}.md").write_text(f"{front}{text}\n", "utf-8")
    build(knowledge, folder / "index", encoder=encoder)


def observe_file(items: Sequence[Question], encoder: Encoder, judge: Judge) -> list[Asked]:
    """Ask the held-out questions of their own paragraphs, of all but the right one, and foreign ones."""
    held = [i for i in items if held_out(i.title)]
    foreign = [i for i in items if not held_out(i.title)]
    foreign = foreign[:: max(1, len(foreign) // max(1, len(held)))]
    texts = list(dict.fromkeys((i.title, i.text) for i in held))
    asked: list[Asked] = []
    with tempfile.TemporaryDirectory() as folder:
        _indexed(texts, Path(folder), encoder)
        retriever = HybridRetriever(index=Path(folder) / "index", encoder=encoder, judge=judge)
        stored = {d.id: d.text for d in retriever.generation().documents}
        said = _said(retriever)
        for item in held:
            gold = str(texts.index((item.title, item.text)))
            answer = item.text[item.start : item.end]
            low = stored[gold].find(answer, max(0, item.start - 5))
            question, hits = search(retriever, item.question, 2 * PASSAGES_READ)
            places, rows = features(question, hits[:PASSAGES_READ])
            right = [
                hit.passage.document_id == gold
                and hit.passage.start + a < low + len(answer)
                and hit.passage.start + b > low
                for hit, a, b in places
            ]
            asked.append(Asked("file", "answerable", item.title, rows, np.array(right, dtype=float)))
            without = tuple(h for h in hits if h.passage.document_id != gold)
            asked.append(_unanswerable("file", "taken", item.title, question, without))
            asked += _swapped("file", item.title, item.question, said, retriever)
        for item in foreign:
            asked.append(_unanswerable("file", "far", item.title, *search(retriever, item.question)))
    return [a for a in asked if len(a.rows)]


def observe_cases(
    cases: Sequence[Case], far: list[str], index: Path, encoder: Encoder, judge: Judge
) -> list[Asked]:
    """Ask the reviewed cases of the real index; the sentences that hold most of the facts are right."""
    retriever = HybridRetriever(index=index, encoder=encoder, judge=judge)
    examples, said = _examples(retriever), _said(retriever)
    asked: list[Asked] = []
    for case in cases:
        alone = standalone(case.asked)
        question, hits = search(retriever, alone, 2 * PASSAGES_READ)
        if (examples @ encoder.query(question)[0]).max(initial=0) >= REPEATED:
            continue  # the documents' own examples ask the same: it says nothing about other questions
        group = group_of(case)
        if case.refuse:
            kind = "near" if "near" in case.tags else "far"
            asked.append(_unanswerable("cases", kind, group, question, hits))
            continue
        places, rows = features(question, hits[:PASSAGES_READ])
        held = [_held(h.passage.text[a:b], case) for h, a, b in places]
        right = [count > 0 and count == max(held) for count in held]
        asked.append(Asked("cases", "answerable", group, rows, np.array(right, dtype=float)))
        without = tuple(h for h in hits if not _held(h.passage.text, case))
        asked.append(_unanswerable("cases", "taken", group, question, without))
        asked += _swapped("cases", group, alone, said, retriever)
    for question in far:
        asked.append(_unanswerable("cases", "far", question, *search(retriever, question)))
    return [a for a in asked if len(a.rows)]


def _examples(retriever: HybridRetriever) -> Array:
    """The vectors of all questions that the documents bring along, answered in them or not."""
    return np.concatenate([e.vectors[e.starts(p)[0] :] for p, e in retriever.generation().everything()])


def _said(retriever: HybridRetriever) -> frozenset[str]:
    """All words of the documents and of their example questions, folded."""
    passages = (p for p, _ in retriever.generation().everything())
    return frozenset(w for p in passages for w in french.words(" ".join((p.searched, *p.gaps))))


def _swapped(
    source: str, group: str, question: str, said: frozenset[str], retriever: HybridRetriever
) -> list[Asked]:
    """The question asked with something in it swapped, if it can be."""
    other = swapped(question, said, random.Random(question))
    return [_unanswerable(source, "swapped", group, *search(retriever, other))] if other else []


def _held(text: str, case: Case) -> int:
    return sum(not missing_facts(text, [group]) for group in case.facts)


def _unanswerable(source: str, kind: str, group: str, question: str, hits: Hits) -> Asked:
    rows = features(question, hits[:PASSAGES_READ])[1]
    return Asked(source, kind, group, rows, np.zeros(len(rows)))


def fit(asked: list[Asked]) -> tuple[Array, Array]:
    """The weights for ranking and for confidence, the intercept last.

    The ranking weights tell the sentences of one question apart; a scale and an intercept then make their
    sum the log-odds that a sentence answers.
    """
    rows, right = np.concatenate([a.rows for a in asked]), np.concatenate([a.right for a in asked])
    weight = np.concatenate([[a.ranking_weight] * len(a.rows) for a in asked])
    apart = _listwise([a for a in asked if a.right.any()])
    scale, intercept = _logistic((rows @ apart)[:, None], right, weight)
    rank = np.array([*(scale * apart), intercept])
    tops, labels = top_rows(asked, rank)
    return rank, _logistic(tops, labels, np.array([a.weight for a in asked]))


def _listwise(asked: list[Asked]) -> Array:
    """Conditional logit (McFadden, 1974): the weights under which the right sentences of each question are
    the likeliest choice among all of it.
    """
    from scipy.optimize import minimize  # in the `train` extra

    rows, right = np.concatenate([a.rows for a in asked]), np.concatenate([a.right for a in asked]) > 0
    spread = rows.std(axis=0) + 1e-9
    rows = (rows - rows.mean(axis=0)) / spread
    first = np.cumsum([0, *(len(a.rows) for a in asked[:-1])])
    question = np.repeat(np.arange(len(asked)), [len(a.rows) for a in asked])
    weight = np.array([a.ranking_weight for a in asked])

    def loss(slopes: Array) -> tuple[float, Array]:
        odds = rows @ slopes
        powers = np.exp(odds - np.maximum.reduceat(odds, first)[question])
        every, good = np.add.reduceat(powers, first), np.add.reduceat(powers * right, first) + 1e-300
        pull = weight[question] * powers * (1 / every[question] - right / good[question])
        cost = weight @ np.log(every / good) + PENALTY / 2 * slopes @ slopes
        return float(cost), rows.T @ pull + PENALTY * slopes

    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 1000})
    slopes: Array = found.x / spread
    return slopes


def top_rows(asked: list[Asked], rank: Array) -> tuple[Array, Array]:
    """The best sentence of each question with its margins, and whether it is right."""
    tops, labels = [], []
    for a in asked:
        scores = probabilities(a.rows, tuple(rank))
        best = int(scores.argmax())
        tops.append([*a.rows[best], *margins(scores, best)])
        labels.append(a.right[best])
    return np.array(tops), np.array(labels)


def _logistic(rows: Array, labels: Array, weight: Array) -> Array:
    from sklearn.linear_model import LogisticRegression  # in the `train` extra
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(rows)
    fitted = LogisticRegression(max_iter=2000).fit(scaler.transform(rows), labels, weight)
    weights = fitted.coef_[0] / scaler.scale_
    return np.array([*weights, fitted.intercept_[0] - weights @ scaler.mean_])


def cross_validated(asked: list[Asked]) -> tuple[Array, Array]:
    """Confidence and correctness of each question, fitted without its article or case."""
    fold_of = {group: i % FOLDS for i, group in enumerate(sorted({a.group for a in asked}))}
    sure, labels = np.zeros(len(asked)), np.zeros(len(asked))
    for fold in range(FOLDS):
        inside = [i for i, a in enumerate(asked) if fold_of[a.group] == fold]
        if not inside:
            continue  # fewer groups than folds
        rank, weights = fit([a for a in asked if fold_of[a.group] != fold])
        tops, right = top_rows([asked[i] for i in inside], rank)
        sure[inside], labels[inside] = probabilities(tops, tuple(weights)), right
    return sure, labels


def trade_off(
    asked: list[Asked], sure: Array, right: Array, source: str, thresholds: Sequence[float] = THRESHOLDS
) -> list[dict[str, float]]:
    """For each threshold, shares in [0, 1] of the answerable that are answered and answered rightly, and
    of the near, the taken, the swapped and the far that are refused; without any near ones, the taken stand
    for them.
    """
    kinds = np.array([a.kind if a.source == source else "" for a in asked])
    rows = []
    of_source = kinds != ""
    gap = calibration_error(sure[of_source].tolist(), right[of_source].tolist())
    error = float(gap(np.ones((1, int(of_source.sum()))))[0])
    for threshold in thresholds:
        kept = sure >= threshold
        answerable = kinds == "answerable"
        rows.append(
            {
                "threshold": round(float(threshold), 2),
                "answered": _share(kept[answerable]),
                "right": _share((right * kept)[answerable]),
                "near refused": _share(~kept[kinds == ("near" if "near" in kinds else "taken")]),
                "taken refused": _share(~kept[kinds == "taken"]),
                "swapped refused": _share(~kept[kinds == "swapped"]),
                "far refused": _share(~kept[kinds == "far"]),
                "calibration error": round(error, 3),
            }
        )
    return rows


def _share(values: Array) -> float:
    return round(float(values.mean()), 3) if len(values) else 0.0


def best_threshold(rows: list[dict[str, float]], near: float, far: float) -> float:
    """The lowest threshold that refuses the wanted shares of near and far questions; the highest if none."""
    enough = [r["threshold"] for r in rows if r["near refused"] >= near and r["far refused"] >= far]
    return min(enough, default=rows[-1]["threshold"])


def write(fitted: Fitted, encoder: str, path: Path = MODEL) -> None:
    """Write the reader's file: the weights, the threshold, and what they were fitted and tried on."""
    raw = {
        "threshold": fitted.threshold,
        "rank": dict(zip([*FEATURES, "intercept"], map(_rounded, fitted.rank), strict=True)),
        "sure": dict(zip([*FEATURES, "top", "lead", "intercept"], map(_rounded, fitted.sure), strict=True)),
        "fitted": datetime.now(UTC).date().isoformat(),
        "encoder": encoder,
        "questions": fitted.questions,
        "cross_validated": next(r for r in fitted.rows if r["threshold"] == fitted.threshold),
        "test_split": fitted.test,
    }
    path.write_text(json.dumps(raw, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _rounded(value: float) -> float:
    return round(float(value), 4)
