"""A BM25-only chain that `bench` compares with: what full-text search alone does. Knows no scores.

French stems (those of our own lexical half, by tantivy) over our own passages; no meaning, no reader.
Stems make it the stronger baseline: over bare words French inflexion would cost it dearly. Its answer
is its best passage; it refuses only what shares no stem with any.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from bot.answers import Answer, Citation, Question, Reason
from index.documents import Document
from index.lexical import LexicalIndex
from index.passages import Passage, RankedPassage, passages

COUNT = 10


class BM25Chain:
    """Questions → the passages of `documents` that share the rarest stems. Turns before are not read."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._passages: dict[str, Passage] = {p.id: p for d in documents for p in passages(d)}
        self._folder = tempfile.TemporaryDirectory(prefix="repere-bm25-")
        folder = Path(self._folder.name) / "lexical"
        LexicalIndex.write(folder, self._passages.values())
        self._index = LexicalIndex(folder)

    def invoke(self, question: Question, /) -> Answer:
        """The best passage as the answer, the ten best as passages, scores as shares of the best one."""
        found = sorted(self._index.stems(question.text, COUNT).items(), key=lambda each: -each[1])
        if not found:
            return Answer(question.text, question.text, "", refused=True, reason=Reason.NO_EVIDENCE)
        top = found[0][1]
        ranked = tuple(RankedPassage(self._passages[name], score / top) for name, score in found)
        best = ranked[0].passage
        citation = Citation(1, best.document_id, best.title, best.source, best.text, best.start, best.end)
        return Answer(question.text, question.text, f"{best.text} [1]", (citation,), ranked, 1.0)
