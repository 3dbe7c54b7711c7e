"""One generation on disk: Chroma, the lexical index, the documents and `manifest.json`.

    <index>/CURRENT                 the name of the generation that serves
    <index>/generations/<name>/     never changed once CURRENT names it

chromadb is imported here alone. Knows nothing about how a generation is built or ranked.
"""

import contextlib
import itertools
import json
import os
import threading
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from index.documents import Document
from index.encoder import Vectors
from index.errors import IndexDamaged, IndexMissing, IndexOutdated
from index.examples import Examples, Words
from index.lexical import LexicalIndex
from index.passages import Passage, key_of
from index.pieces import Bytes

FORMAT = 12
COLLECTION = "passages"
# float16; for each passage the rows of `Encoded.vectors`
VECTORS = "vectors.npy"
# int8; the pieces of each passage and its title, see `index.pieces`
PIECES = "pieces.npy"
# what `index.examples` learned: "ids", "weights", "words", their "rarity" and "taught"
EXAMPLES = "examples.npz"
# and "questions", "gaps" (JSON), "row", "rows": where in VECTORS, "piece": where in PIECES, "cuts" (JSON)
METADATA = ("id", "document_id", "title", "source", "start", "end")
DOCUMENTS = "documents.jsonl"
FIRST = b'{"id": '  # how each of its lines starts
REMEMBERED = 128  # passages, some 100 KB each
BATCH = 2000  # Chroma takes at most 5,461 rows a call
_decoder = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the encoder made of a passage."""

    vectors: Vectors  # (1 + sentences + questions + gaps × dimensions): the whole, then each of these
    pieces: Bytes  # (pieces × width, see `Pieces.as_bytes`): those of its title, then of its sentences
    cuts: tuple[int, ...]  # where in `pieces` each sentence starts, and the last ends

    def starts(self, passage: Passage) -> tuple[int, int]:
        """Where in `vectors` the passage's example questions start, and its gaps."""
        gaps = len(self.vectors) - len(passage.gaps)
        return gaps - len(passage.questions), gaps


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation was built from. `created` is ISO 8601 in UTC, `counts` are per kind."""

    format: int
    created: str
    knowledge: str
    encoder: str
    dimensions: int
    longest: int
    documents: int
    passages: int
    reused: int
    skipped: list[dict[str, str]] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write `manifest.json` and make sure that it is on the disk."""
        with (folder / "manifest.json").open("w", encoding="utf-8") as handle:
            json.dump(asdict(self), handle, ensure_ascii=False, indent=1)
            handle.flush()
            os.fsync(handle.fileno())

    @staticmethod
    def read(folder: Path) -> "Manifest":
        """Read `manifest.json`. Raises IndexDamaged or IndexOutdated."""
        try:
            raw = json.loads((folder / "manifest.json").read_text("utf-8"))
        except (OSError, ValueError):
            raise IndexDamaged("the index is damaged: its manifest cannot be read") from None
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            raise IndexOutdated("the index was built by another version of Repère")
        try:
            return Manifest(**{f.name: raw[f.name] for f in fields(Manifest)})
        except KeyError as error:
            raise IndexDamaged(f"the index is damaged: its manifest lacks {error}") from None


def current(index: Path) -> str:
    """The name of the generation that serves. Raises IndexMissing."""
    try:
        name = (index / "CURRENT").read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise IndexMissing(f"there is no index in « {index} »") from None
    if not name or "/" in name or not (index / "generations" / name).is_dir():
        raise IndexMissing(f"there is no index in « {index} »")
    return name


def swap(index: Path, name: str) -> None:
    """Make a finished generation the one that serves, in one atomic step."""
    fresh = index / "CURRENT.new"
    with fresh.open("w", encoding="utf-8") as handle:
        handle.write(name)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.replace(index / "CURRENT")
    descriptor = os.open(index, os.O_RDONLY)
    with contextlib.suppress(OSError):  # some file systems cannot sync a folder
        os.fsync(descriptor)
    os.close(descriptor)


class Rows:
    """A matrix in a .npy file of which a few rows at a time are read.

    Read, not mapped: pages of a map count as this process's memory once touched, and over 100,000 passages
    have gigabytes of them.
    """

    def __init__(self, file: Path) -> None:
        """Open it. Raises OSError or ValueError."""
        whole = np.load(file, mmap_mode="r")
        self._type, self._width, self._start = whole.dtype, whole.shape[1], whole.offset
        self._file = file.open("rb")

    def read(self, first: int, count: int) -> np.ndarray[tuple[int, int], Any]:
        """`count` rows from `first` on. Thread-safe."""
        size = self._type.itemsize * self._width
        data = os.pread(self._file.fileno(), count * size, self._start + first * size)
        return np.frombuffer(data, self._type).reshape(count, self._width)

    def close(self) -> None:
        self._file.close()


class Documents:
    """The documents of a generation, each read from its file when it is asked for: the texts of 100,000 are
    a hundred megabytes.
    """

    def __init__(self, file: Path) -> None:
        """Open it. Raises OSError or ValueError."""
        self._file = file.open("rb")
        self._starts = array("Q", [0])  # of each line, and the end of the last
        numbers = array("Q")
        for line in self._file:
            if not line.startswith(FIRST) or not line.endswith(b"}\n"):
                raise ValueError(f"{file.name}: not a document")
            identity, _ = _decoder.raw_decode(line.decode()[len(FIRST) :])
            numbers.append(_number(identity))
            self._starts.append(self._starts[-1] + len(line))
        self._lines = np.argsort(np.array(numbers, dtype=np.uint64))  # by the numbers of their ids
        self._numbers = np.array(numbers, dtype=np.uint64)[self._lines]

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Document]:
        """All of them, in the order of the knowledge. Raises IndexDamaged."""
        return (self._read(line) for line in range(len(self)))

    def get(self, identity: str) -> Document | None:
        """The document of this id, if there is one. Raises IndexDamaged. Thread-safe."""
        number = np.uint64(_number(identity))
        place = int(np.searchsorted(self._numbers, number))
        known = place < len(self) and self._numbers[place] == number
        return self._read(int(self._lines[place])) if known else None

    def _read(self, number: int) -> Document:
        start, end = self._starts[number : number + 2]
        try:
            line = os.pread(self._file.fileno(), end - start, start)
            raw: dict[str, Any] = json.loads(line, object_hook=_tuples)
            return Document(**raw)
        except (OSError, ValueError, TypeError) as error:
            raise IndexDamaged("the index is damaged: one of its documents cannot be read") from error

    def close(self) -> None:
        self._file.close()


class Generation:
    """One opened generation, read-only."""

    def __init__(self, folder: Path) -> None:
        """Open a generation. Raises IndexDamaged or IndexOutdated."""
        self.folder = folder
        self._lock = threading.Lock()
        self._remembered: dict[str, tuple[Passage, Encoded]] = {}  # by key; the one used last stands last
        self.manifest = Manifest.read(folder)
        try:
            self.documents = Documents(folder / DOCUMENTS)
            self.lexical = LexicalIndex(folder / "lexical")
            self._vectors, self._pieces = Rows(folder / VECTORS), Rows(folder / PIECES)
            with np.load(folder / EXAMPLES) as learned:
                rows = {word: row for row, word in enumerate(learned["words"].tolist())}
                words = Words(rows, learned["rarity"])
                self.examples = Examples(
                    tuple(learned["ids"].tolist()), learned["weights"], words, float(learned["taught"])
                )
            self._client = _client(folder / "chroma", create=False)
            self._collection = self._client.get_collection(COLLECTION, embedding_function=None)
            found = (len(self.documents), len(self.lexical), self._collection.count())
        except Exception as error:
            raise IndexDamaged("the index is damaged: one of its files cannot be read") from error
        if found != (self.manifest.documents, self.manifest.passages, self.manifest.passages):
            raise IndexDamaged("the index is damaged: it does not hold what its manifest says")

    def close(self) -> None:
        """Let go of the files."""
        self.documents.close()
        self._vectors.close()
        self._pieces.close()
        with contextlib.suppress(AttributeError):
            self._client.close()

    def nearest(self, vector: Vectors, count: int) -> dict[str, float]:
        """The `count` passages nearest to a (1 × dimensions) vector: key → cosine in [-1, 1]."""
        found = self._collection.query(
            query_embeddings=vector, n_results=min(count, self.manifest.passages), include=["distances"]
        )
        distances = (found["distances"] or [[]])[0]
        return {i: 1.0 - float(d) for i, d in zip(found["ids"][0], distances, strict=True)}

    def fetch(self, keys: Iterable[str]) -> dict[str, tuple[Passage, Encoded]]:
        """Passages by key, each with what was encoded of it; unknown keys are left out. Thread-safe.

        The last REMEMBERED are kept in memory.
        """
        wanted = list(keys)
        with self._lock:
            found = {i: self._remembered.pop(i) for i in wanted if i in self._remembered}
            self._remembered |= found
        found |= self._read([i for i in wanted if i not in found])
        with self._lock:
            self._remembered |= found
            for oldest in list(self._remembered)[:-REMEMBERED]:
                del self._remembered[oldest]
        return found

    def _read(self, keys: list[str]) -> dict[str, tuple[Passage, Encoded]]:
        if not keys:
            return {}
        found = self._collection.get(ids=keys, include=["documents", "metadatas"])
        texts, metadatas = found["documents"] or [], found["metadatas"] or []
        return {
            key: (_passage(text, metadata), self._encoded(metadata))
            for key, text, metadata in zip(found["ids"], texts, metadatas, strict=True)
        }

    def _encoded(self, metadata: Any) -> Encoded:
        row, piece, cuts = int(metadata["row"]), int(metadata["piece"]), json.loads(metadata["cuts"])
        return Encoded(
            self._vectors.read(row, int(metadata["rows"])).astype(np.float32),
            self._pieces.read(piece, cuts[-1]),
            tuple(cuts),
        )

    def everything(self) -> Iterator[tuple[Passage, Encoded]]:
        """All passages with what was encoded of them, a batch at a time."""
        for start in range(0, self.manifest.passages, BATCH):
            keys = self._collection.get(limit=BATCH, offset=start, include=[])["ids"]
            yield from self._read(keys).values()


def _number(identity: str) -> int:
    """An id in 64 bits: those of 100,000 documents are tens of megabytes."""
    return int(key_of(identity), 16)


def _client(folder: Path, *, create: bool) -> Any:
    """An embedded Chroma client that sends nothing anywhere."""
    if not create and not (folder / "chroma.sqlite3").is_file():
        raise FileNotFoundError(folder)  # Chroma would silently make an empty one
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False, is_persistent=True, persist_directory=str(folder))
    return chromadb.PersistentClient(path=str(folder), settings=settings)


def _passage(text: str, metadata: Any) -> Passage:
    return Passage(
        id=str(metadata["id"]),
        document_id=str(metadata["document_id"]),
        title=str(metadata["title"]),
        source=str(metadata["source"]),
        text=text,
        start=int(metadata["start"]),
        end=int(metadata["end"]),
        questions=tuple(json.loads(metadata["questions"])),
        gaps=tuple(json.loads(metadata["gaps"])),
    )


def write_passages(folder: Path, passages: list[Passage], encoded: list[Encoded]) -> None:
    """Write passages into a new Chroma collection, cosine set explicitly, and all their vectors beside it."""
    rows = [0, *itertools.accumulate(len(e.vectors) for e in encoded)]
    firsts = [0, *itertools.accumulate(len(e.pieces) for e in encoded)]
    np.save(folder / VECTORS, np.concatenate([e.vectors for e in encoded]).astype(np.float16))
    with (folder / PIECES).open("wb") as handle:  # one by one: over 100,000 passages they are gigabytes
        header = {"descr": "|i1", "fortran_order": False, "shape": (firsts[-1], encoded[0].pieces.shape[1])}
        np.lib.format.write_array_header_1_0(handle, header)
        for e in encoded:
            e.pieces.tofile(handle)
    client = _client(folder / "chroma", create=True)
    collection = client.create_collection(
        COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
    )
    for start in range(0, len(passages), BATCH):
        part = passages[start : start + BATCH]
        collection.add(
            ids=[p.key for p in part],
            embeddings=[e.vectors[0] for e in encoded[start : start + BATCH]],
            documents=[p.text for p in part],
            metadatas=[
                {key: getattr(p, key) for key in METADATA}
                | {
                    "questions": json.dumps(p.questions),
                    "gaps": json.dumps(p.gaps),
                    "row": rows[i],
                    "rows": len(encoded[i].vectors),
                    "piece": firsts[i],
                    "cuts": json.dumps(encoded[i].cuts),
                }
                for i, p in enumerate(part, start)
            ],
        )
    with contextlib.suppress(AttributeError):
        client.close()


def write_examples(folder: Path, learned: Examples) -> None:
    """Write what was learned from the example questions."""
    np.savez(
        folder / EXAMPLES,
        ids=np.array(learned.ids, dtype=str),
        weights=learned.weights,
        words=np.array(list(learned.words.rows), dtype=str),
        rarity=learned.words.rarity,
        taught=learned.taught,
    )


def write_documents(folder: Path, documents: Iterable[Document]) -> None:
    """Write the documents themselves, one JSON object a line: offsets are checked against them."""
    with (folder / DOCUMENTS).open("w", encoding="utf-8") as handle:
        for document in documents:
            handle.write(json.dumps(asdict(document), ensure_ascii=False) + "\n")
        handle.flush()
        os.fsync(handle.fileno())


def _tuples(raw: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
