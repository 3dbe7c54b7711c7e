"""Reply: what any bot said to one question, in one shape, whatever the bot gives. Measures nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.answers import Answer
from evals.results import Hit, Quote


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer or a refusal. None of `confidence`, `citations`, `passages`: this bot gives no such thing.

    `confidence` is in [0, 1]; `passages` are ranked, best first.
    """

    text: str
    refused: bool = False
    reason: str = ""
    confidence: float | None = None
    citations: tuple[Quote, ...] | None = None
    passages: tuple[Hit, ...] | None = None
    standalone_question: str = ""

    @property
    def ranked(self) -> tuple[str, ...]:
        """The document ids of the passages, best first; a document stands once for each passage."""
        return tuple(hit.document for hit in self.passages or ())


def reply_of(answer: Answer) -> Reply:
    """What our own bot (or a chain that answers like it) said, without the passages' texts."""
    return Reply(
        answer.text,
        answer.refused,
        str(answer.reason),
        answer.confidence,
        tuple(
            Quote(c.number, c.document_id, c.title, c.source, c.quote, c.start, c.end)
            for c in answer.citations
        ),
        tuple(Hit(p.passage.id, p.passage.document_id, p.score) for p in answer.passages),
        answer.standalone_question,
    )


def reply_from(raw: Mapping[str, Any]) -> Reply:
    """A reply from a JSON object: « answer », and any other key of `python -m bot ask --json`.

    A citation may be a document's id alone; one without « start » and « end » stands anywhere in its
    document. Raises ValueError when the object cannot be understood.
    """
    try:
        citations, passages = raw.get("citations"), raw.get("passages")
        confidence = raw.get("confidence")
        return Reply(
            text=_text(raw["answer"]),
            refused=bool(raw.get("refused", False)),
            reason=str(raw.get("reason", "")),
            confidence=None if confidence is None else float(confidence),
            citations=None if citations is None else tuple(_quote(n, c) for n, c in enumerate(citations, 1)),
            passages=None if passages is None else tuple(_hit(n, p) for n, p in enumerate(passages, 1)),
            standalone_question=str(raw.get("standalone_question", "")),
        )
    except KeyError as error:
        raise ValueError(f"the answer has no {error}") from None
    except (AttributeError, TypeError):
        raise ValueError("the answer is not of the expected shape") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _quote(number: int, raw: Mapping[str, Any] | str) -> Quote:
    if isinstance(raw, str):
        return Quote(number, raw, "", "", "", -1, -1)
    return Quote(
        int(raw.get("number", number)),
        str(raw["document"]),
        str(raw.get("title", "")),
        str(raw.get("source", "")),
        str(raw.get("quote", "")),
        int(raw.get("start", -1)),
        int(raw.get("end", -1)),
    )


def _hit(rank: int, raw: Mapping[str, Any] | str) -> Hit:
    if isinstance(raw, str):
        return Hit(raw, raw, 1 / rank)
    return Hit(str(raw.get("id", raw["document"])), str(raw["document"]), float(raw.get("score", 1 / rank)))
