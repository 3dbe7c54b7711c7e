"""Why a question got its answer: each search's ranks, the sentences read, what would have to change.

Asks the real bot, and its retriever and reader once more for what they weighed. Prints nothing.
"""

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.answers import Answer, Question, Reason
from bot.reader import PASSAGES_READ, Weighed
from evals.cases import Case
from evals.metrics import missing_facts, wrong
from index import english, french
from index.errors import RepereError
from index.languages import is_english
from index.passages import Passage, RankedPassage

if TYPE_CHECKING:
    from bot.chain import Bot
    from index.retriever import HybridRetriever

SEARCHES = ("stems", "pairs", "grams", "meaning", "sentence", "pieces")
SHOWN = 8  # passages, and sentences
REASONS = 4  # features that are named


class UnknownCaseError(RepereError):
    """No case has this id."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that was found. `ranks`: its place in each search, from 1; None where it was not found.

    `shared` are the words of the question that stand in it, by stem.
    """

    hit: RankedPassage
    rank: int
    ranks: Mapping[str, int | None]
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that decided an answer. `sentences` are those read, the likeliest first.

    `threshold` is what the answer's confidence must reach. `because` are sentences for people.
    """

    case: Case
    answer: Answer
    problem: str
    candidates: tuple[Candidate, ...]
    sentences: tuple[Weighed, ...]
    threshold: float
    because: tuple[str, ...]


def pick(cases: Sequence[Case], name: str) -> Case:
    """The case of this id. Raises UnknownCaseError, naming those that are alike."""
    for case in cases:
        if case.id == name:
            return case
    alike = [case.id for case in cases if name and (name in case.id or case.id in name)][:5]
    hint = f"; there are {', '.join(f'« {one} »' for one in alike)}" if alike else ""
    raise UnknownCaseError(f"no case has the id « {name} »{hint}")


def explain(bot: "Bot", case: Case) -> Explanation:
    """Ask the bot a case and take apart what it did. A case without facts that must not be refused is free.

    Raises IndexProblem.
    """
    answer = bot.invoke(Question(case.question, case.history))
    judged = case.refuse or bool(case.facts)
    problem = wrong(case, answer) if judged else ""
    threshold = bot.reader.model.threshold
    if answer.reason not in (Reason.ANSWERED, Reason.NO_EVIDENCE):
        because = (f"nothing was searched: the question was taken as « {answer.reason} »",)
        return Explanation(case, answer, problem, (), (), threshold, because)
    candidates = _candidates(bot.retriever, answer.standalone_question)
    sentences = bot.reader.weighed(answer.standalone_question, answer.passages)
    why = _because(bot, case, answer, candidates, sentences)
    return Explanation(case, answer, problem, candidates, sentences, threshold, why)


def _candidates(retriever: "HybridRetriever", question: str) -> tuple[Candidate, ...]:
    """All that the retriever ranks, with the place of each in the searches that it fuses."""
    from index.retriever import CANDIDATES

    generation = retriever.generation()
    searched = english.in_french(question) if is_english(question) else question
    found = retriever.rank(question, 5 * CANDIDATES)
    scores = {
        "stems": generation.lexical.stems(searched, CANDIDATES),
        "pairs": generation.lexical.pairs(searched, CANDIDATES),
        "grams": generation.lexical.grams(searched, CANDIDATES),
        "meaning": generation.nearest(retriever.encoder.query(question), CANDIDATES),
        "sentence": {hit.passage.key: max(hit.meanings, default=0.0) for hit in found},
        "pieces": {hit.passage.key: hit.match.whole for hit in found if hit.match},
    }
    places = {
        search: {
            name: i for i, name in enumerate(sorted(given, key=given.__getitem__, reverse=True), start=1)
        }
        for search, given in scores.items()
    }
    return tuple(
        Candidate(
            hit,
            rank,
            {search: places[search].get(hit.passage.key) for search in SEARCHES},
            _shared(question, hit.passage)[0],
        )
        for rank, hit in enumerate(found, start=1)
    )


def _shared(question: str, passage: Passage) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The question's topical words by which the passage is found (by stem), and those it lacks."""
    held = set(french.terms(passage.searched))
    words = [w for w in dict.fromkeys(french.words(question)) if not french.is_stop_word(w)]
    return (
        tuple(w for w in words if french.stem(w) in held),
        tuple(w for w in words if french.stem(w) not in held),
    )


def _because(
    bot: "Bot", case: Case, answer: Answer, candidates: Sequence[Candidate], sentences: Sequence[Weighed]
) -> tuple[str, ...]:
    lines = [_against_threshold(bot, answer, sentences)] if sentences else ["no sentence was read"]
    if case.facts and not case.refuse and wrong(case, answer):
        lines += _right_passage(bot, case, answer, candidates, sentences)
    return tuple(lines)


def _against_threshold(bot: "Bot", answer: Answer, sentences: Sequence[Weighed]) -> str:
    threshold = bot.reader.model.threshold
    best = sentences[0]
    answered = answer.confidence >= threshold
    moved = _pulls(dict(zip(best.features, bot.reader.model.sure, strict=False)), best.features)
    away = abs(_log_odds(answer.confidence) - _log_odds(threshold))
    side = "reaches" if answered else "misses"
    # Only what pulls towards the side that it fell on; the sign is that of the log-odds.
    named = [(name, pull) for name, pull in moved if (pull > 0) == answered][:REASONS]
    told = ", ".join(f"{name} {best.features[name]:.2f} ({pull:+.1f})" for name, pull in named)
    return (
        f"the best sentence {side} the threshold: {answer.confidence:.3f} against {threshold:.3f}, "
        f"{away:.1f} in log-odds; what pulls it {'up' if answered else 'down'} most: {told or 'nothing'}"
    )


def _right_passage(
    bot: "Bot", case: Case, answer: Answer, candidates: Sequence[Candidate], sentences: Sequence[Weighed]
) -> list[str]:
    """Where the facts that the answer lacks stand, and why they did not get into it."""
    lacking = missing_facts("" if answer.refused else answer.text, case.facts)
    groups = [group for group in case.facts if group[0] in lacking]
    if not groups:
        return []  # it says all it should, and something forbidden beside
    where = [p for p, _ in bot.retriever.generation().everything() if p.document_id in case.documents]
    stating = {p.id: len(groups) - len(missing_facts(p.text, groups)) for p in where}
    most = max(stating.values(), default=0)
    if not most:
        facts, documents = ", ".join(f"« {fact} »" for fact in lacking), ", ".join(case.documents)
        return [
            f"no passage of {documents} states {facts}: the knowledge lacks it, or words it otherwise "
            "(then the case needs another alias)"
        ]
    right = [p for p in where if stating[p.id] == most]
    ranked = {c.hit.passage.id: c for c in candidates}
    best = min(right, key=lambda p: ranked[p.id].rank if p.id in ranked else math.inf)
    lines = []
    if most < len(groups):
        lines.append(f"no passage states all {len(groups)} facts that are missing; the best states {most}")
    needed = candidates[:PASSAGES_READ][-1].hit.score if candidates else 0.0
    lines.append(_place(answer.standalone_question, best, ranked.get(best.id), needed))
    holding = [
        s
        for s in sentences
        if s.hit.passage.id == best.id and len(missing_facts(s.text, groups)) < len(groups)
    ]
    if holding:
        lines += _runner_up(bot, sentences, min(holding, key=lambda s: len(missing_facts(s.text, groups))))
    return lines


def _place(question: str, passage: Passage, candidate: Candidate | None, needed: float) -> str:
    """Where a passage is ranked; `needed` is the score of the last one that is read."""
    name = f"the passage with the facts ({passage.title})"
    shared, lacking = _shared(question, passage)
    words = f"it shares no stem with the question ({', '.join(lacking)})"
    if shared:
        words = f"it shares {', '.join(shared)}" + (f" and lacks {', '.join(lacking)}" if lacking else "")
    if candidate is None:
        return f"{name} was found by no search: {words}; its words, or the question's, would have to change"
    ranks = ", ".join(f"{search} {rank or '–'}" for search, rank in candidate.ranks.items())
    read = "read"
    if candidate.rank > PASSAGES_READ:
        short = f"its score {candidate.hit.score:.3f} would have to reach {needed:.3f}"
        read = f"not read: only the first {PASSAGES_READ} are, {short}"
    return f"{name} is ranked {_nth(candidate.rank)} and {read} ({ranks}); {words}"


def _runner_up(bot: "Bot", sentences: Sequence[Weighed], right: Weighed) -> list[str]:
    """How far the sentence with the facts is behind the best one, and by which features."""
    place, best = sentences.index(right), sentences[0]
    told = f"the sentence with the facts, « {textwrap.shorten(right.text, 120)} », "
    if not place:
        return [told + f"is the likeliest of all ({right.probability:.3f})"]
    weights = dict(zip(best.features, bot.reader.model.rank, strict=False))
    gaps = {name: best.features[name] - right.features[name] for name in weights}
    lead = [f"{name} ({pull:+.1f})" for name, pull in _pulls(weights, gaps) if pull > 0][:REASONS]
    return [
        told + f"is {_nth(place + 1)} with {right.probability:.3f}; the first, "
        f"« {textwrap.shorten(best.text, 120)} », has {best.probability:.3f} and leads by {', '.join(lead)}"
    ]


def _pulls(weights: Mapping[str, float], values: Mapping[str, float]) -> list[tuple[str, float]]:
    """What each feature adds to the log-odds, the strongest first; what adds next to nothing is left out."""
    pulls = [(name, weight * values[name]) for name, weight in weights.items()]
    return sorted([each for each in pulls if abs(each[1]) >= 0.05], key=lambda each: -abs(each[1]))


def _log_odds(probability: float) -> float:
    sure = min(1 - 1e-9, max(1e-9, probability))
    return math.log(sure / (1 - sure))


def _nth(n: int) -> str:
    ending = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def terminal(found: Explanation) -> str:
    """The explanation as text."""
    answer, case = found.answer, found.case
    head = {
        "question": case.question,
        "understood": answer.standalone_question if answer.standalone_question != case.question else "",
        "answer": answer.text,
        "verdict": (found.problem or "right") if case.refuse or case.facts else str(answer.reason),
        "confidence": f"{answer.confidence:.3f}, threshold {found.threshold:.3f}",
        "expected": "a refusal" if case.refuse else ", ".join(" or ".join(group) for group in case.facts),
    }
    lines = [_wrapped(f"{name:<12}", text) for name, text in head.items() if text]
    lines += ["", "why"] + [_wrapped("  - ", line) for line in found.because]
    if found.candidates:
        lines += ["", f"passages: fused score, place in each search; the first {PASSAGES_READ} are read"]
        lines.append(
            f"  {'':>3} score  " + " ".join(f"{search:>8}" for search in SEARCHES) + "  passage; shared words"
        )
    for c in found.candidates[:SHOWN]:
        ranks = " ".join(f"{rank or '–':>8}" for rank in c.ranks.values())
        mark = "*" if c.hit.passage.document_id in case.documents else " "
        named = f"{mark} {c.hit.passage.title}; {', '.join(c.shared) or 'none'}"
        lines.append(f"  {c.rank:>3} {c.hit.score:.3f}  {ranks}  {named}")
    if found.sentences:
        lines += ["", "sentences read: probability; the features that moved it"]
    for i, s in enumerate(found.sentences[:SHOWN], start=1):
        lines.append(_wrapped(f"  {i:>3} {s.probability:.3f}  ", f"« {s.text} »"))
        told = ", ".join(f"{name} {value:.2f}" for name, value in s.features.items() if value)
        lines.append(_wrapped(" " * 13, told))
    return "\n".join(lines)


def _wrapped(start: str, text: str) -> str:
    return textwrap.fill(
        " ".join(text.split()), 110, initial_indent=start, subsequent_indent=" " * len(start)
    )
