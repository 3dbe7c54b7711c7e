"""Fit the reader: which sentence answers, how sure that is, and below which confidence to refuse.

Two sources. A SQuAD-format file of French questions, of which only the held-out articles are used, which
the encoder has never seen; and the reviewed cases of this knowledge. Every question is also asked of
passages from which its answer was taken away (near), and questions of another world are asked (far).
"""

import json
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bot.followups import standalone
from bot.reader import FEATURES, MODEL, PASSAGES_READ, features, margins, probabilities
from evals.cases import Case
from evals.metrics import missing_facts
from index.build import build
from index.documents import read_knowledge
from index.encoder import Encoder, EncoderName
from index.passages import RankedPassage
from index.retriever import HybridRetriever
from index.training.data import Question, held_out

Array = np.ndarray[Any, np.dtype[np.float64]]
Hits = tuple[RankedPassage, ...]
FOLDS = 10
FAR_ASKED = 150  # questions of another world asked of this knowledge
CASE_WEIGHT = 10.0  # a reviewed case counts as ten questions of the file, which are many more


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as the reader saw it: a row of features a sentence, and which sentences answer."""

    source: str  # "file" or "cases"
    kind: str  # "answerable", "near" or "far"
    group: str  # article or case: never on both sides of a fold
    rows: Array
    right: Array

    @property
    def weight(self) -> float:
        """How much it counts in the fit."""
        return CASE_WEIGHT if self.source == "cases" else 1.0


def observe_file(items: list[Question], encoder: Encoder, name: EncoderName) -> list[Asked]:
    """Ask the held-out questions of their own paragraphs, of all but the right one, and foreign ones."""
    held = [i for i in items if held_out(i.title)]
    foreign = [i for i in items if not held_out(i.title)]
    foreign = foreign[:: max(1, len(foreign) // len(held))]
    texts = list(dict.fromkeys((i.title, i.text) for i in held))
    asked: list[Asked] = []
    with tempfile.TemporaryDirectory() as folder:
        knowledge, index = Path(folder) / "knowledge", Path(folder) / "index"
        knowledge.mkdir()
        for number, (title, text) in enumerate(texts):
            front = f"---\ntitle: {json.dumps(title)}\n---\n"
            (knowledge / f"{number}.md").write_text(f"{front}{text}\n", "utf-8")
        build(knowledge, index, encoder=name)
        stored = {d.id: d.text for d in read_knowledge(knowledge).documents}
        retriever = HybridRetriever(index=index, encoder=encoder)
        for item in held:
            gold = str(texts.index((item.title, item.text)))
            answer = item.text[item.start : item.end]
            low = stored[gold].find(answer, max(0, item.start - 5))
            hits = retriever.rank(item.question, 2 * PASSAGES_READ)
            places, rows = features(item.question, hits[:PASSAGES_READ])
            right = [
                hit.passage.document_id == gold
                and hit.passage.start + a < low + len(answer)
                and hit.passage.start + b > low
                for hit, a, b in places
            ]
            asked.append(Asked("file", "answerable", item.title, rows, np.array(right, dtype=float)))
            without = tuple(h for h in hits if h.passage.document_id != gold)
            asked.append(_unanswerable("file", "near", item.title, item.question, without))
        for item in foreign:
            hits = retriever.rank(item.question)
            asked.append(_unanswerable("file", "far", item.title, item.question, hits))
    return [a for a in asked if len(a.rows)]


def observe_cases(cases: tuple[Case, ...], far: list[str], index: Path, encoder: Encoder) -> list[Asked]:
    """Ask the reviewed cases of the real index; the sentences that hold most of the facts are right."""
    retriever = HybridRetriever(index=index, encoder=encoder)
    asked: list[Asked] = []
    for case in cases:
        question = standalone(case.asked)
        hits = retriever.rank(question, 2 * PASSAGES_READ)
        if case.refuse:
            kind = "near" if "near" in case.tags else "far"
            asked.append(_unanswerable("cases", kind, case.id, question, hits))
            continue
        places, rows = features(question, hits[:PASSAGES_READ])
        held = [_held(h.passage.text[a:b], case) for h, a, b in places]
        right = [count > 0 and count == max(held) for count in held]
        asked.append(Asked("cases", "answerable", case.id, rows, np.array(right, dtype=float)))
        without = tuple(h for h in hits if not _held(h.passage.text, case))
        asked.append(_unanswerable("cases", "near", case.id, question, without))
    for question in far:
        asked.append(_unanswerable("cases", "far", question, question, retriever.rank(question)))
    return [a for a in asked if len(a.rows)]


def _held(text: str, case: Case) -> int:
    return sum(not missing_facts(text, [group]) for group in case.facts)


def _unanswerable(source: str, kind: str, group: str, question: str, hits: Hits) -> Asked:
    rows = features(question, hits[:PASSAGES_READ])[1]
    return Asked(source, kind, group, rows, np.zeros(len(rows)))


def fit(asked: list[Asked]) -> tuple[Array, Array]:
    """The weights for ranking and for confidence, the intercept last."""
    rows, right = np.concatenate([a.rows for a in asked]), np.concatenate([a.right for a in asked])
    rank = _logistic(rows, right, np.concatenate([[a.weight] * len(a.rows) for a in asked]))
    tops, labels = top_rows(asked, rank)
    return rank, _logistic(tops, labels, np.array([a.weight for a in asked]))


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
        rank, weights = fit([a for a in asked if fold_of[a.group] != fold])
        tops, right = top_rows([asked[i] for i in inside], rank)
        sure[inside], labels[inside] = probabilities(tops, tuple(weights)), right
    return sure, labels


def trade_off(asked: list[Asked], sure: Array, right: Array, source: str) -> list[dict[str, float]]:
    """For each threshold, shares in [0, 1] of the answerable that are answered and answered rightly, and
    of the near and the far that are refused.
    """
    kinds = np.array([a.kind if a.source == source else "" for a in asked])
    rows = []
    for threshold in np.arange(0.05, 0.75, 0.05):
        kept = sure >= threshold
        answerable = kinds == "answerable"
        rows.append(
            {
                "threshold": round(float(threshold), 2),
                "answered": round(float(kept[answerable].mean()), 3),
                "right": round(float((right * kept)[answerable].mean()), 3),
                "near refused": round(float((~kept[kinds == "near"]).mean()), 3),
                "far refused": round(float((~kept[kinds == "far"]).mean()), 3),
            }
        )
    return rows


def best_threshold(rows: list[dict[str, float]], near: float, far: float) -> float:
    """The lowest threshold that refuses the wanted shares of near and far questions; the highest if none."""
    enough = [r["threshold"] for r in rows if r["near refused"] >= near and r["far refused"] >= far]
    return min(enough, default=rows[-1]["threshold"])


def write(asked: list[Asked], threshold: float, rows: list[dict[str, float]], encoder: Encoder) -> None:
    """Write `bot/reader.json`: the weights, the threshold, and what they were fitted on."""
    rank, sure = fit(asked)
    counts = Counter(f"{a.source} {a.kind}" for a in asked)
    fitted = {
        "threshold": threshold,
        "rank": dict(zip([*FEATURES, "intercept"], map(_rounded, rank), strict=True)),
        "sure": dict(zip([*FEATURES, "top", "lead", "intercept"], map(_rounded, sure), strict=True)),
        "fitted": datetime.now(UTC).date().isoformat(),
        "encoder": encoder.identity,
        "questions": dict(sorted(counts.items())),
        "cross_validated": next(r for r in rows if r["threshold"] == threshold),
    }
    MODEL.write_text(json.dumps(fitted, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _rounded(value: float) -> float:
    return round(float(value), 4)
