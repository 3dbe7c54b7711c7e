"""Fit the reader: which sentence answers, how sure that is, and below which confidence to refuse.

Reads a SQuAD-format file of French questions and keeps its held-out articles, which the encoder has
never seen. Each question is asked three times: of all paragraphs, of all but the one that answers
(near), and, as a question of another article, of paragraphs that know nothing of it (far).
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bot.followups import standalone
from bot.reader import FEATURES, PASSAGES_READ, features, margins, probabilities
from evals.cases import Case
from evals.metrics import missing_facts
from index.build import build
from index.documents import read_knowledge
from index.encoder import Encoder, EncoderName
from index.passages import RankedPassage
from index.retriever import HybridRetriever
from index.training.data import held_out

Matrix = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as the reader saw it: a row a sentence, and whether that sentence answers."""

    kind: str  # "answerable", "near" or "far"
    group: str  # article or case, for cross-validation
    rows: Matrix
    right: Matrix
    weight: float = 1.0


def questions(path: Path) -> list[tuple[str, str, str, int, int]]:
    """(title, paragraph, question, answer start, answer end) of a SQuAD-format file."""
    return [
        (
            article["title"],
            p["context"],
            qa["question"],
            a["answer_start"],
            a["answer_start"] + len(a["text"]),
        )
        for article in json.loads(path.read_text("utf-8"))["data"]
        for p in article["paragraphs"]
        for qa in p["qas"]
        for a in qa["answers"][:1]
    ]


def observe(path: Path, name: EncoderName) -> list[Asked]:
    """Ask every held-out question three times; build the index of the held-out paragraphs for it."""
    everything = questions(path)
    held = [q for q in everything if held_out(q[0])]
    others = [q for q in everything if not held_out(q[0])][
        :: max(1, (len(everything) - len(held)) // len(held))
    ]
    texts = list(dict.fromkeys((t, c) for t, c, *_ in held))
    with tempfile.TemporaryDirectory() as folder:
        knowledge, index = Path(folder) / "knowledge", Path(folder) / "index"
        knowledge.mkdir()
        for i, (title, text) in enumerate(texts):
            (knowledge / f"{i}.md").write_text(f"---\ntitle: {json.dumps(title)}\n---\n{text}\n", "utf-8")
        build(knowledge, index, encoder=name)
        stored = {d.id: d.text for d in read_knowledge(knowledge).documents}
        encoder = Encoder(name)
        retriever = HybridRetriever(index=index, encoder=encoder)
        asked = []
        for title, text, question, start, end in held:
            gold = str(texts.index((title, text)))
            shift = stored[gold].find(text[start:end], max(0, start - 5)) - start
            hits = retriever.rank(question, PASSAGES_READ + 6)
            span = (gold, start + shift, end + shift)
            asked.append(_asked("answerable", title, question, hits, encoder, span))
            without = tuple(h for h in hits if h.passage.document_id != gold)
            asked.append(_asked("near", title, question, without, encoder, None))
        for title, _, question, *_ in others:
            asked.append(
                _asked("far", title, question, retriever.rank(question, PASSAGES_READ), encoder, None)
            )
    return [a for a in asked if len(a.rows)]


def _asked(
    kind: str,
    group: str,
    question: str,
    hits: tuple[RankedPassage, ...],
    encoder: Encoder,
    span: tuple[str, int, int] | None,
) -> Asked:
    places, rows = features(question, hits[:PASSAGES_READ], encoder)
    right = [
        span is not None
        and hit.passage.document_id == span[0]
        and hit.passage.start + a < span[2]
        and hit.passage.start + b > span[1]
        for hit, a, b in places
    ]
    return Asked(kind, group, rows, np.array(right, dtype=float))


def observe_cases(cases: list[Case], index: Path, encoder: Encoder) -> list[Asked]:
    """The same for reviewed cases of a real corpus: the sentences that hold most of the facts are right."""
    retriever = HybridRetriever(index=index, encoder=encoder)
    asked = []
    for case in cases:
        question = standalone(case.asked)
        places, rows = features(question, retriever.rank(question)[:PASSAGES_READ], encoder)
        held = [sum(not missing_facts(h.passage.text[a:b], [g]) for g in case.facts) for h, a, b in places]
        most = max(held, default=0)
        right = [not case.refuse and count > 0 and count == most for count in held]
        kind = "answerable" if not case.refuse else "near" if "near" in case.tags else "far"
        asked.append(Asked(kind, case.id, rows, np.array(right, dtype=float)))
    return asked


def fit(asked: list[Asked]) -> tuple[Matrix, Matrix]:
    """The weights for ranking and for confidence, the intercept last."""
    rows, right = np.concatenate([a.rows for a in asked]), np.concatenate([a.right for a in asked])
    rank = _logistic(rows, right, np.concatenate([[a.weight] * len(a.rows) for a in asked]))
    tops, labels = top_rows(asked, rank)
    return rank, _logistic(tops, labels, np.array([a.weight for a in asked]))


def top_rows(asked: list[Asked], rank: Matrix) -> tuple[Matrix, Matrix]:
    """The best sentence of each question with its margins, and whether it is right."""
    tops, labels = [], []
    for a in asked:
        scores = probabilities(a.rows, tuple(rank))
        best = int(scores.argmax())
        tops.append([*a.rows[best], *margins(scores, best)])
        labels.append(a.right[best])
    return np.array(tops), np.array(labels)


def _logistic(rows: Matrix, labels: Matrix, weight: Matrix) -> Matrix:
    from sklearn.linear_model import LogisticRegression  # in the `train` extra
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(rows)
    fitted = LogisticRegression(max_iter=2000).fit(scaler.transform(rows), labels, weight)
    weights = fitted.coef_[0] / scaler.scale_
    return np.array([*weights, fitted.intercept_[0] - weights @ scaler.mean_])


def cross_validated(asked: list[Asked], folds: int = 5) -> tuple[Matrix, Matrix]:
    """Confidence and correctness of each question, fitted without its article."""
    groups = sorted({a.group for a in asked})
    fold_of = {g: i % folds for i, g in enumerate(groups)}
    sure, labels = np.zeros(len(asked)), np.zeros(len(asked))
    for fold in range(folds):
        inside = [i for i, a in enumerate(asked) if fold_of[a.group] == fold]
        rank, weights = fit([a for a in asked if fold_of[a.group] != fold])
        tops, right = top_rows([asked[i] for i in inside], rank)
        sure[inside], labels[inside] = probabilities(tops, tuple(weights)), right
    return sure, labels


def table(asked: list[Asked], sure: Matrix, right: Matrix) -> list[dict[str, float]]:
    """For each threshold: how many are answered, how many rightly, how many of each kind are refused."""
    kinds = np.array([a.kind for a in asked])
    rows = []
    for threshold in np.arange(0.05, 0.75, 0.05):
        kept = sure >= threshold
        answerable = kinds == "answerable"
        rows.append(
            {
                "threshold": round(float(threshold), 2),
                "coverage": round(float(kept[answerable].mean()), 3),
                "right": round(float(right[answerable & kept].mean()), 3),
                "near_refused": round(float((~kept[kinds == "near"]).mean()), 3),
                "far_refused": round(float((~kept[kinds == "far"]).mean()), 3),
            }
        )
    return rows


def names() -> list[str]:
    """The columns of the confidence model."""
    return [*FEATURES, "top", "lead", "intercept"]
