"""What is measured, one short definition each. Knows nothing about files or tables.

Every score is in [0, 1], higher is better, unless its docstring says otherwise.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from bot.answers import Answer, Citation
from bot.values import holds
from evals.cases import Case
from index.documents import Document

MARK = re.compile(r"\s*\[\d+\]")


def hit(ranked: Sequence[str], expected: Iterable[str], k: int) -> float:
    """hit@k: 1 when one of the first `k` ranked document ids is expected, else 0.

    Also « success@k »; ir_measures: https://ir-measur.es/en/latest/measures.html#success
    """
    return float(bool(set(ranked[:k]) & set(expected)))


def reciprocal_rank(ranked: Sequence[str], expected: Iterable[str], k: int = 10) -> float:
    """RR@k: 1 / rank of the first expected id among the first `k`, 0 when there is none; its mean is MRR.

    Source: Voorhees, The TREC-8 Question Answering Track Report (1999).
    """
    wanted = set(expected)
    return next((1 / rank for rank, one in enumerate(ranked[:k], start=1) if one in wanted), 0.0)


def missing_facts(text: str, facts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The first alias of each group that `text` states in none of its forms (see `bot.values.holds`)."""
    said = MARK.sub(" ", text)
    return tuple(group[0] for group in facts if not any(holds(said, alias) for alias in group))


def wrong(case: Case, answer: Answer) -> str:
    """Why `answer` fails `case`, in a few words; empty when it is right.

    Right is: refused where it must be; otherwise not refused, every group of facts stated, nothing
    forbidden stated.
    """
    if case.refuse:
        return "" if answer.refused else f"should refuse, answered: {answer.text}"
    if answer.refused:
        return f"should answer, refused ({answer.reason})"
    if missing := missing_facts(answer.text, case.facts):
        return f"does not say {', '.join(f'« {fact} »' for fact in missing)}: {answer.text}"
    said = MARK.sub(" ", answer.text)
    if lies := [text for text in case.forbidden if holds(said, text)]:
        return f"says {', '.join(f'« {text} »' for text in lies)}: {answer.text}"
    return ""


def exact(citation: Citation, documents: Mapping[str, Document]) -> bool:
    """Whether the quote stands in its document at its offsets, character for character."""
    document = documents.get(citation.document_id)
    return (
        document is not None
        and 0 <= citation.start < citation.end <= len(document.text)
        and document.text[citation.start : citation.end] == citation.quote
    )


def well_cited(case: Case, answer: Answer, documents: Mapping[str, Document]) -> bool:
    """Whether every quote is exact and a quoted document is one of those that prove the answer."""
    return any(c.document_id in case.documents for c in answer.citations) and all(
        exact(c, documents) for c in answer.citations
    )


def precision(refused: Sequence[bool], expected: Sequence[bool]) -> float:
    """Of what was refused, the part that had to be; 1 when nothing was refused (nothing wrongly so)."""
    chosen = [should for did, should in zip(refused, expected, strict=True) if did]
    return mean(chosen) if chosen else 1.0


def recall(refused: Sequence[bool], expected: Sequence[bool]) -> float:
    """Of what had to be refused, the part that was; 1 when nothing had to be.

    Precision and recall: Manning, Raghavan, Schütze, Introduction to Information Retrieval (2008), 8.3.
    """
    return precision(expected, refused)


def words(text: str) -> int:
    """Words between spaces, guillemets and marks like [1] counted too: never fewer than a reader's count."""
    return len(text.split())


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean; 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def percentile(values: Sequence[float], p: float) -> float:
    """The `p`-th percentile, 0 ≤ p ≤ 100, in the unit of `values`; 0 of nothing.

    Linear between the closest ranks: definition 7 of Hyndman and Fan, Sample Quantiles (1996).
    """
    if not values:
        return 0.0
    ordered = sorted(values)
    place = (len(ordered) - 1) * p / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
