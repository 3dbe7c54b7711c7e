"""HybridRetriever: search by stems, by n-grams and by meaning, compare piece by piece, fuse, rank.

A LangChain `BaseRetriever`. Notices when a new generation is swapped in and reopens it.
"""

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, PrivateAttr

from index import english
from index.encoder import Encoder
from index.errors import IndexOutdated
from index.examples import NOTHING
from index.judges import Judged, QuestionAnswering, Reranker
from index.languages import is_english
from index.passages import Passage, RankedPassage
from index.pieces import Match, Pieces, match
from index.store import Encoded, Generation, current

READ = 3  # of the best passages are read beside the question
# Share in the score of what the reading says: 1 for log-odds of SUREST, 0 for what is not read.
READING, SUREST = 0.286, 10.0
# Log-odds beyond which nothing that the bundled model said of another passage changed the first of 640.
SAID = 5.0
SETTLED = 0.05  # what the examples leave open, up to which the best passage alone is read, for its words
CANDIDATES = 40  # of each of the three searches
# Shares of the fused score, fitted on held-out PIAF articles; index/training/README.md has the table.
STEMS, PAIRS, GRAMS, PIECES, SENTENCE = 0.03, 0.04, 0.05, 0.44, 0.44
ABOUT = 0.15  # added for what the example questions of all documents, told apart, point to
Scores = dict[str, float]  # by the key of a passage
Found = dict[str, tuple[Passage, Encoded]]
# What a question needs from the words of the index and from the encoder, and two passages read beside it, do
# not wait for each other; PyTorch alone makes little use of a second core for so few rows.
_hands = ThreadPoolExecutor(2, "retriever")


class HybridRetriever(BaseRetriever):
    """Ranked passages for a question, from the generation that `index` names as current.

    The best passages are read and ranked anew: by `judge`, else by the bundled model.
    """

    index: Path
    encoder: Encoder
    judge: QuestionAnswering | Reranker | None = None
    count: int = 10
    model_config = ConfigDict(arbitrary_types_allowed=True)
    _generation: Generation | None = PrivateAttr(default=None)
    _name: str = PrivateAttr(default="")
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    def generation(self) -> Generation:
        """The open generation, reopened when another was swapped in.

        Raises IndexMissing, IndexDamaged, or IndexOutdated when it was built with another encoder.
        """
        name = current(self.index)
        with self._lock:
            if self._generation is None or name != self._name:
                fresh = Generation(self.index / "generations" / name)
                if fresh.manifest.encoder != self.encoder.identity:
                    raise IndexOutdated(
                        f"the index was built with the encoder « {fresh.manifest.encoder} », "
                        f"not with « {self.encoder.identity} »"
                    )
                self._generation, self._name = fresh, name
            return self._generation

    def rank(self, question: str, count: int | None = None) -> tuple[RankedPassage, ...]:
        """The best passages for a question, best first; empty when nothing of it can be searched."""
        return self.read(question, self.find(question, count))

    def find(self, question: str, count: int | None = None) -> tuple[RankedPassage, ...]:
        """The same by the searches alone, before `read` ranks the best of them anew."""
        generation = self.generation()
        by_words = _hands.submit(_by_words, generation, question)
        vector, pieces = self.encoder.read_question(question)
        stems, pairs, grams, found = by_words.result()
        met_already = _hands.submit(_met, pieces, found)
        near = generation.nearest(vector, CANDIDATES)
        others = generation.fetch(near.keys() - found.keys())
        met_by = _met(pieces, others) | met_already.result()
        pointed = generation.examples.probabilities(question, vector)
        beyond = pointed.pop(NOTHING, 0.0)
        ranked = []
        for key, (passage, encoded) in (found | others).items():
            cosines = (encoded.vectors @ vector[0]).tolist()
            examples, gaps = encoded.starts(passage)
            whole, meanings, asked = cosines[0], cosines[1:examples], max([0.0, *cosines[examples:gaps]])
            about = pointed.get(passage.id, 0.0)
            met = met_by.get(key)
            score = (
                STEMS * stems.get(key, 0.0)
                + PAIRS * pairs.get(key, 0.0)
                + GRAMS * grams.get(key, 0.0)
                + PIECES * max(0.0, met.whole if met else whole)
                + SENTENCE * max(0.0, asked, *meanings)
                + ABOUT * about
            )
            ranked.append(
                RankedPassage(
                    passage,
                    min(1.0, score),
                    tuple(meanings),
                    asked,
                    about,
                    beyond,
                    generation.examples.taught,
                    match=met,
                )
            )
        ranked.sort(key=lambda r: (-r.score, r.passage.id))
        return tuple(ranked[: count or self.count])

    def read(self, question: str, found: tuple[RankedPassage, ...]) -> tuple[RankedPassage, ...]:
        """Passages found, ranked anew by what the judge, or else the bundled model, says of the best ones."""
        if not found:
            return ()
        left_open = found[0].left_open
        read = self._judged(question, found[:1])
        most = SUREST if self.judge else SAID
        if read and left_open > SETTLED and _may_be_overtaken(found, read[0][1], left_open, most):
            read += self._judged(question, found[1:READ])
        if not read:
            return found
        says = {r.passage.id: j for r, j in read}
        ranked, others = [], []
        for r in found:
            score = (1 - READING) * r.score
            if j := says.get(r.passage.id):
                score += READING * left_open * _sureness(j.margins)
                ranked.append(replace(r, score=score, margins=j.margins, span=j.span))
            else:
                others.append(replace(r, score=score))
        return (*sorted(ranked, key=lambda r: (-r.score, r.passage.id)), *others)

    def _judged(self, question: str, best: tuple[RankedPassage, ...]) -> list[tuple[RankedPassage, Judged]]:
        """Passages, each with what is said of it; none where nothing reads them."""
        if self.judge:
            judged = self.judge.judge(question, [(r.passage.title, r.passage.text) for r in best])
        else:
            kept = self.generation().fetch(r.passage.key for r in best)
            # all are there, but where a generation was swapped in meanwhile
            best = tuple(r for r in best if r.passage.key in kept)
            told = [(r.passage.title, r.passage.text, kept[r.passage.key][1].pieces) for r in best]
            others = [_hands.submit(self.encoder.judge, question, [passage]) for passage in told[1:]]
            judged = self.encoder.judge(question, told[:1])
            judged += [said for other in others for said in other.result()]
        return list(zip(best, judged, strict=True)) if judged else []

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[LangChainDocument]:
        return [
            LangChainDocument(
                id=r.passage.id,
                page_content=r.passage.text,
                metadata={
                    "document_id": r.passage.document_id,
                    "title": r.passage.title,
                    "source": r.passage.source,
                    "start": r.passage.start,
                    "end": r.passage.end,
                    "score": r.score,
                },
            )
            for r in self.rank(query)
        ]


def _by_words(generation: Generation, question: str) -> tuple[Scores, Scores, Scores, Found]:
    """What the lexical searches find: by stems, by pairs of them and by n-grams; and those passages."""
    searched = english.in_french(question) if is_english(question) else question
    stems, pairs, grams = (
        _scaled(search(searched, CANDIDATES))
        for search in (generation.lexical.stems, generation.lexical.pairs, generation.lexical.grams)
    )
    return stems, pairs, grams, generation.fetch(stems.keys() | grams.keys())  # a pair is made of stems


def _met(question: Pieces, found: Found) -> dict[str, Match]:
    """How the pieces of a question are met by passages that have pieces."""
    told = {k: (encoded.pieces, encoded.cuts) for k, (_, encoded) in found.items() if len(encoded.pieces)}
    return dict(zip(told, match(question, [*told.values()]), strict=True))


def _may_be_overtaken(
    found: tuple[RankedPassage, ...], judged: Judged, left_open: float, most: float
) -> bool:
    """Whether log-odds of `most` would rank the second passage before the first, of which this was said."""
    lead = found[0].score - found[1].score if len(found) > 1 else math.inf
    return (1 - READING) * lead < READING * left_open * (_sureness((most,)) - _sureness(judged.margins))


def _sureness(margins: tuple[float, ...]) -> float:
    """The log-odds of the likeliest sentence, from -SUREST to SUREST, as a number in [0, 1]."""
    return (1 + min(max(max(margins, default=-SUREST), -SUREST), SUREST) / SUREST) / 2


def _scaled(scores: dict[str, float]) -> dict[str, float]:
    """BM25 scores as shares of the best one: their size says nothing across questions."""
    best = max(scores.values(), default=1.0)
    return {key: score / best for key, score in scores.items()}
