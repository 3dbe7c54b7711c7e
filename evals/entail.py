"""Fit the entailment of bot/grounding.py on labelled sentences, and measure the whole check on the rest."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bot.claims import claims_held
from bot.grounding import ENTAILMENT, MODEL, OPENING, Entailment, entailment, meaning
from index.encoder import Encoder
from index.errors import RepereError

LABELLED = Path(__file__).parent / "grounding.yaml"
SLACK = 0.9  # of the least cosine of a held sentence that was fitted on


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sentence with its quote's features: whether its claims stand there, whether the quote holds it."""

    sentence: str
    meaning: float
    row: tuple[float, ...]
    claims: bool
    held: bool
    fitted: bool  # one of the entries to fit on, not one kept out


def observe(path: Path, encoder: Encoder) -> list[Labelled]:
    """Read the labelled sentences. Raises RepereError for a bad file."""
    try:
        entries = yaml.safe_load(path.read_text("utf-8"))
        return [
            Labelled(
                text,
                meaning(OPENING.sub("", text), entry["quote"], entry["title"], encoder),
                entailment(OPENING.sub("", text), entry["quote"], entry["title"]),
                claims_held(OPENING.sub("", text), entry["quote"], entry["title"]),
                key == "held",
                not entry.get("kept_out", False),
            )
            for entry in entries
            for key in ("held", "not_held")
            for text in entry[key]
        ]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise RepereError(f"{path}: cannot be read as labelled sentences ({type(error).__name__})") from None


def fit(labelled: list[Labelled]) -> Entailment:
    """Fitted on the sentences whose claims stand in their quote; the threshold is still 0."""
    from sklearn.linear_model import LogisticRegression  # in the `train` extra

    passed = [x for x in labelled if x.claims]
    fitted = LogisticRegression(C=10.0, max_iter=5000, class_weight="balanced").fit(
        np.array([x.row for x in passed]), np.array([x.held for x in passed])
    )
    least = SLACK * min(x.meaning for x in passed if x.held)
    return Entailment((*map(float, fitted.coef_[0]), float(fitted.intercept_[0])), 0.0, least)


def trade_off(labelled: list[Labelled], fitted: Entailment) -> list[dict[str, float]]:
    """For each threshold, the shares in [0, 1] of held sentences kept and of the others withheld."""
    scores = [x.claims * fitted.score(x.meaning, x.row) for x in labelled]
    rows = []
    for threshold in np.arange(0.05, 1.0, 0.05):
        kept = [s for s, x in zip(scores, labelled, strict=True) if x.held]
        others = [s for s, x in zip(scores, labelled, strict=True) if not x.held]
        rows.append(
            {
                "threshold": round(float(threshold), 2),
                "kept": round(float(np.mean([s >= threshold for s in kept])), 3),
                "withheld": round(float(np.mean([s < threshold for s in others])), 3),
            }
        )
    return rows


def best_threshold(rows: list[dict[str, float]]) -> float:
    """One step above the lowest threshold at which no false sentence is shown; the highest if none is."""
    safe = [r["threshold"] for r in rows if r["withheld"] == 1.0]
    return safe[min(1, len(safe) - 1)] if safe else rows[-1]["threshold"]


def write(fitted: Entailment, threshold: float, figures: dict[str, Any], encoder: Encoder) -> None:
    """Write `bot/grounding.json`: weights, threshold, what they gave, and the encoder they belong to."""
    written = {
        "threshold": threshold,
        "least_meaning": round(fitted.least_meaning, 3),
        "weights": dict(zip((*ENTAILMENT, "intercept"), (round(w, 4) for w in fitted.weights), strict=True)),
        "fitted": datetime.now(UTC).date().isoformat(),
        "encoder": encoder.identity,
        **figures,
    }
    MODEL.write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", "utf-8")
