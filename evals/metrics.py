"""What is measured: METRICS says what each name means, the functions below are the formulas.

Knows nothing about files, runs or tables.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.answers import Answer
from bot.values import holds, tokens
from evals.cases import Case
from evals.replies import Reply
from evals.results import Quote
from index.documents import Document

MARK = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True, slots=True)
class Metric:
    """One name of the table. `over` are the cases that it is averaged over."""

    definition: str
    better: Literal["higher", "lower"]
    range: str
    over: str
    source: str


TO_ANSWER = "cases to answer that name documents; a refusal keeps its ranking, a crash counts 0"
ANSWERED = "cases to answer that got an answer from a bot that cites"
GOLD = "cases to answer with one group of facts; a refusal or a crash counts 0"
SURE = "answers given with a confidence, right or not; refusals and crashes are left out"
DUE = "all cases of a run that has one to refuse"
SUCCESS = "success@k, https://ir-measur.es/en/latest/measures.html"
SQUAD = "Rajpurkar et al., SQuAD (2016), on the tokens of bot/values.py"
MANNING = "Manning, Raghavan, Schütze, Introduction to Information Retrieval (2008), 8.3"

METRICS: Mapping[str, Metric] = {
    "hit@1": Metric("an expected document is that of the first passage", "higher", "0–1", TO_ANSWER, SUCCESS),
    "hit@5": Metric("one is among those of the first 5 passages", "higher", "0–1", TO_ANSWER, SUCCESS),
    "hit@10": Metric("one is among those of the first 10 passages", "higher", "0–1", TO_ANSWER, SUCCESS),
    "MRR@10": Metric(
        "1 / rank of the first passage of an expected document, 0 beyond 10",
        "higher",
        "0–1",
        TO_ANSWER,
        "Voorhees, The TREC-8 Question Answering Track Report (1999)",
    ),
    "nDCG@10": Metric(
        "1 / log2(rank + 1) summed over expected documents, as a share of the best possible sum; a further "
        "passage of the same document keeps its place and gains nothing",
        "higher",
        "0–1",
        TO_ANSWER,
        "Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation of IR Techniques (2002), gains of 0 and 1",
    ),
    "recall@10": Metric(
        "share of the expected documents of which a passage is among the first 10",
        "higher",
        "0–1",
        TO_ANSWER,
        MANNING,
    ),
    "answer accuracy": Metric(
        "not refused, every group of facts stated, nothing forbidden stated",
        "higher",
        "0–1",
        "cases to answer; a refusal or a crash counts 0",
        "evals.metrics.wrong",
    ),
    "right cases": Metric(
        "an answer as above, or a refusal where one is due",
        "higher",
        "0–1",
        "all cases; a crash counts 0",
        "evals.metrics.wrong",
    ),
    "fact recall": Metric(
        "share of the groups of facts that the answer states in one of their forms",
        "higher",
        "0–1",
        "cases to answer with facts; a refusal or a crash counts 0",
        "bot.values.holds",
    ),
    "exact match": Metric(
        "the answer's tokens are those of an alias; accents, articles and elided words do not count",
        "higher",
        "0–1",
        GOLD,
        SQUAD,
    ),
    "token F1": Metric(
        "harmonic mean of precision and recall of the answer's tokens; the best alias counts",
        "higher",
        "0–1",
        GOLD,
        SQUAD,
    ),
    "citation accuracy": Metric(
        "every quote is exact and one is from an expected document", "higher", "0–1", ANSWERED, "well_cited"
    ),
    "citation precision": Metric(
        "share of the citations that are exact and from an expected document; 0 without any",
        "higher",
        "0–1",
        ANSWERED,
        "after Gao et al., ALCE (2023), documents and facts in place of a model's judgement",
    ),
    "citation recall": Metric(
        "share of the groups of facts that an exact quote from an expected document states",
        "higher",
        "0–1",
        ANSWERED,
        "after Gao et al., ALCE (2023), documents and facts in place of a model's judgement",
    ),
    "quote exactness": Metric(
        "share of the quotes that stand in their document at their place, character for character",
        "higher",
        "0–1",
        "all citations of all answers, each counting alike",
        "evals.metrics.exact",
    ),
    "refusal precision": Metric(
        "of what was refused, the share that had to be; 1 when nothing was refused",
        "higher",
        "0–1",
        DUE,
        MANNING,
    ),
    "refusal recall": Metric(
        "of what had to be refused, the share that was",
        "higher",
        "0–1",
        DUE,
        MANNING,
    ),
    "refusal F1": Metric("harmonic mean of refusal precision and recall", "higher", "0–1", DUE, MANNING),
    "risk–coverage area": Metric(
        "mean share of wrong answers among the k surest, over every k; the expected value among equally sure",
        "lower",
        "0–1",
        SURE,
        "Geifman and El-Yaniv, Selective Classification for Deep Neural Networks (2017)",
    ),
    "calibration error": Metric(
        "mean distance of confidence and accuracy over 10 bins of equal width, weighted by their answers",
        "lower",
        "0–1",
        SURE,
        "expected calibration error: Naeini, Cooper, Hauskrecht (2015)",
    ),
    "median words": Metric(
        "median length of an answer, between spaces, marks like [1] included",
        "lower",
        "words",
        "cases to answer that got an answer",
        "evals.metrics.words",
    ),
    "latency p50": Metric(
        "median time of an answer", "lower", "ms", "all cases", "Hyndman and Fan (1996), definition 7"
    ),
    "latency p95": Metric(
        "95th percentile of the time", "lower", "ms", "all cases", "Hyndman and Fan (1996), definition 7"
    ),
}
AT_MOST = frozenset(name for name, metric in METRICS.items() if metric.better == "lower")


def measure(
    case: Case, reply: Reply, documents: Mapping[str, Document], *, answers: bool = True
) -> dict[str, float | None]:
    """The metrics of one reply, by name; None where one does not apply. `answers`: else retrieval only."""
    values: dict[str, float | None] = {}
    if not case.refuse and case.documents and reply.passages is not None:
        ranked, wanted = reply.ranked, case.documents
        values |= {f"hit@{k}": hit(ranked, wanted, k) for k in (1, 5, 10)}
        values |= {"MRR@10": reciprocal_rank(ranked, wanted), "nDCG@10": ndcg(ranked, wanted)}
        values["recall@10"] = recall_at(ranked, wanted)
    if answers:
        values["right cases"] = float(not wrong(case, reply))
    if answers and not case.refuse:
        said = "" if reply.refused else MARK.sub(" ", reply.text)
        values["answer accuracy"] = values["right cases"]
        if case.facts:
            values["fact recall"] = fact_recall(said, case.facts)
        if len(case.facts) == 1:
            values["exact match"] = float(any(tokens(said) == tokens(alias) for alias in case.facts[0]))
            values["token F1"] = max(token_f1(said, alias) for alias in case.facts[0])
        if not reply.refused:
            values["median words"] = float(words(reply.text))
            if reply.citations is not None and case.documents:
                values["citation accuracy"] = float(well_cited(case, reply, documents))
                proofs = [c for c in reply.citations if c.document in case.documents and exact(c, documents)]
                values["citation precision"] = mean([float(c in proofs) for c in reply.citations])
                if case.facts:
                    values["citation recall"] = fact_recall("\n\n".join(c.quote for c in proofs), case.facts)
    if answers and reply.citations:
        values["quote exactness"] = mean([float(exact(c, documents)) for c in reply.citations])
    return {name: values.get(name) for name in PER_ANSWER}


# In `Result.values`; the others are of a whole run: refusals, confidence, latency.
PER_ANSWER = tuple(
    name for name in METRICS if not name.startswith(("refusal", "risk", "calibration", "latency"))
)


def hit(ranked: Sequence[str], expected: Iterable[str], k: int) -> float:
    """hit@k: 1 when one of the first `k` ranked document ids is expected, else 0."""
    return float(bool(set(ranked[:k]) & set(expected)))


def reciprocal_rank(ranked: Sequence[str], expected: Iterable[str], k: int = 10) -> float:
    """RR@k: 1 / rank of the first expected id among the first `k`, 0 when there is none; its mean is MRR."""
    wanted = set(expected)
    return next((1 / rank for rank, one in enumerate(ranked[:k], start=1) if one in wanted), 0.0)


def ndcg(ranked: Sequence[str], expected: Collection[str], k: int = 10) -> float:
    """nDCG@k of `ranked` with gains of 0 and 1; only the first place of an id gains. 0 if none expected."""
    wanted = set(expected)
    places = [i for i, one in enumerate(ranked[:k]) if one in wanted and one not in ranked[:i]]
    ideal = sum(1 / math.log2(i + 2) for i in range(min(k, len(wanted))))
    return sum(1 / math.log2(i + 2) for i in places) / ideal if ideal else 0.0


def recall_at(ranked: Sequence[str], expected: Collection[str], k: int = 10) -> float:
    """recall@k: the share of the expected ids among the first `k`; 0 if none is expected."""
    wanted = set(expected)
    return len(wanted & set(ranked[:k])) / len(wanted) if wanted else 0.0


def missing_facts(text: str, facts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The first alias of each group that `text` states in none of its forms (see `bot.values.holds`)."""
    said = MARK.sub(" ", text)
    return tuple(group[0] for group in facts if not any(holds(said, alias) for alias in group))


def fact_recall(text: str, facts: Collection[Sequence[str]]) -> float:
    """The share of the groups of `facts` that `text` states; `facts` is not empty."""
    return 1 - len(missing_facts(text, facts)) / len(facts)


def token_f1(text: str, gold: str) -> float:
    """SQuAD's F1: harmonic mean of precision and recall of the common tokens, each as often as in both.

    Without a token on either side: 1 when there is none on both, else 0.
    """
    given, wanted = tokens(text), tokens(gold)
    if not given or not wanted:
        return float(given == wanted)
    common = (Counter(given) & Counter(wanted)).total()
    return 2 * common / (len(given) + len(wanted))


def wrong(case: Case, answer: Answer | Reply) -> str:
    """Why `answer` fails `case`, in a few words; empty when it is right.

    Right is: refused where it must be; otherwise not refused, every group of facts stated, nothing
    forbidden stated. A case without facts (of a set that has none) wants an expected document cited.
    """
    if case.refuse:
        return "" if answer.refused else f"should refuse, answered: {answer.text}"
    if answer.refused:
        return f"should answer, refused ({answer.reason})"
    if missing := missing_facts(answer.text, case.facts):
        return f"does not say {', '.join(f'« {fact} »' for fact in missing)}: {answer.text}"
    if not case.facts and not set(case.documents) & _cited(answer):
        return f"cites no expected document: {answer.text}"
    said = MARK.sub(" ", answer.text)
    if lies := [text for text in case.forbidden if holds(said, text)]:
        return f"says {', '.join(f'« {text} »' for text in lies)}: {answer.text}"
    return ""


def _cited(answer: Answer | Reply) -> set[str]:
    if isinstance(answer, Answer):
        return {c.document_id for c in answer.citations}
    return {c.document for c in answer.citations or ()}


def exact(citation: Quote, documents: Mapping[str, Document]) -> bool:
    """Whether the quote stands in its document at its offsets, character for character.

    One of a foreign bot that tells no offsets (they are negative) may stand anywhere.
    """
    document = documents.get(citation.document)
    if document is None or not citation.quote:
        return False
    if citation.start < 0:
        return citation.quote in document.text
    return (
        citation.end <= len(document.text) and document.text[citation.start : citation.end] == citation.quote
    )


def well_cited(case: Case, reply: Reply, documents: Mapping[str, Document]) -> bool:
    """Whether every quote is exact and a quoted document is one of those that prove the answer."""
    citations = reply.citations or ()
    return any(c.document in case.documents for c in citations) and all(
        exact(c, documents) for c in citations
    )


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
