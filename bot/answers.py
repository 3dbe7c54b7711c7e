"""What goes into the bot and what comes out: Turn, Question, Citation, Answer. Knows no formatting."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from index.passages import RankedPassage


class Reason(StrEnum):
    """Why the answer is what it is; the value is stable, for programs."""

    ANSWERED = "answered"
    SMALL_TALK = "small_talk"
    NO_EVIDENCE = "no_evidence"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    NEEDS_PERSON = "needs_person"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation so far."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a visitor asks, with the turns before it, oldest first."""

    text: str
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A proof: `document.text[start:end] == quote`, always.

    `highlights` are the decisive words, as (start, end) offsets into the quote.
    """

    number: int
    document_id: str
    title: str
    source: str
    quote: str
    start: int
    end: int
    highlights: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer or a refusal, with what was retrieved and what was used.

    `text` is plain French: each quoted sentence followed by its number, « … [1] », or a phrase when
    `refused` or small talk. `confidence` is the probability in [0, 1] that the quotes answer the
    question. `passages` are the ten best, ranked. `suggestions` are questions the documents answer.
    `note` is one discreet line about how the answer came about, or "". `timings` are seconds by step.
    When a language model words the answer, `text` holds its sentences, each followed by the numbers of
    the quotes that prove it; `pending` is the beginning of the next sentence, which is still to be proved.
    `language` is that of the question, "fr" or "en", for the words around the
    quotes; a question in any other language is refused in its own.
    """

    question: str
    standalone_question: str
    text: str
    citations: tuple[Citation, ...] = ()
    passages: tuple[RankedPassage, ...] = ()
    confidence: float = 0.0
    refused: bool = False
    reason: Reason = Reason.ANSWERED
    suggestions: tuple[str, ...] = ()
    note: str = ""
    pending: str = ""
    timings: dict[str, float] = field(default_factory=dict)
    language: str = "fr"

    @property
    def understood(self) -> str:
        """How the question was read, where that differs from what was typed by more than capitals; or ""."""
        meant, typed = (" ".join(t.split()) for t in (self.standalone_question, self.question))
        return "" if typed.casefold().startswith(meant.casefold()) else meant


def record(answer: Answer, seconds: float) -> dict[str, Any]:
    """The answer as the JSON object that programs read; its keys are stable."""
    return {
        "question": answer.question,
        "standalone_question": answer.standalone_question,
        "answer": answer.text,
        "refused": answer.refused,
        "reason": str(answer.reason),
        "confidence": round(answer.confidence, 4),
        "citations": [
            {
                "number": c.number,
                "document": c.document_id,
                "title": c.title,
                "source": c.source,
                "quote": c.quote,
                "start": c.start,
                "end": c.end,
                "highlights": [list(span) for span in c.highlights],
            }
            for c in answer.citations
        ],
        "passages": [
            {"id": p.passage.id, "document": p.passage.document_id, "score": round(p.score, 4)}
            for p in answer.passages
        ],
        "suggestions": list(answer.suggestions),
        "note": answer.note,
        "seconds": round(seconds, 4),
    }
