"""Build a generation beside the one that serves, re-using unchanged vectors, and swap it in last."""

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from index.documents import Knowledge, read_knowledge
from index.encoder import Encoder, EncoderName, Vectors
from index.errors import BuildInProgress, IndexDamaged, IndexProblem
from index.examples import NOTHING, fit
from index.lexical import LexicalIndex
from index.passages import LONGEST, Passage, passages, sentences, titled
from index.pieces import STEPS, WIDTH
from index.store import (
    FORMAT,
    Encoded,
    Generation,
    Manifest,
    current,
    swap,
    write_documents,
    write_examples,
    write_passages,
)

ELSEWHERE = Path(__file__).parent / "models" / "elsewhere.txt"  # questions of other worlds, one a line
KEPT = 2  # generations: the one that serves, and the one that a running server may still read
VERSIONED = ("chromadb", "tantivy", "sentence-transformers", "langchain-core")


@contextmanager
def _only_one(index: Path) -> Iterator[None]:
    """Hold the build lock; it falls with the process, so a killed build leaves none behind."""
    index.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(index / "LOCK", timeout=0):
            yield
    except filelock.Timeout:
        raise BuildInProgress("another build is running in this folder; wait until it ends") from None


def build(
    knowledge: Path,
    index: Path,
    *,
    encoder: Encoder | EncoderName | None = None,
    fresh: bool = False,
    skip_bad: bool = False,
    progress: bool = False,
) -> Manifest:
    """Index a knowledge folder and return the manifest of the generation that then serves.

    Nothing is written when the index already holds just this; `fresh` builds anew from nothing. An encoder
    given by its name is loaded only if something is to be written.
    Raises KnowledgeError, BuildInProgress or EncoderMissing; the old generation then still serves.
    """
    encoder = encoder or EncoderName.from_environment()
    with _only_one(index):
        read = read_knowledge(knowledge, skip_bad=skip_bad)
        old = None if fresh else _open(index)
        if old and _same(old.manifest, read, encoder.identity):
            return old.manifest
        manifest = _write(index, read, old, encoder, progress)
        _tidy(index)
        return manifest


def _open(index: Path) -> Generation | None:
    try:
        return Generation(index / "generations" / current(index))
    except IndexProblem:
        return None


def _same(manifest: Manifest, read: Knowledge, identity: str) -> bool:
    skipped = [asdict(f) for f in read.skipped]
    return (manifest.knowledge, manifest.encoder, manifest.longest, manifest.skipped) == (
        read.digest,
        identity,
        LONGEST,
        skipped,
    )


def _write(
    index: Path, read: Knowledge, old: Generation | None, name: Encoder | EncoderName, progress: bool
) -> Manifest:
    created = datetime.now(UTC)
    generation = f"{created:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
    folder = index / "generations" / generation
    folder.mkdir(parents=True)
    try:
        cut = [p for d in read.documents for p in passages(d)]
        encoder = Encoder(name) if isinstance(name, EncoderName) else name
        known = (
            {p.id: v for p, v in old.everything()} if old and old.manifest.encoder == encoder.identity else {}
        )
        encoded = _encode(cut, known, encoder, progress)
        write_documents(folder, read.documents)
        LexicalIndex.write(folder / "lexical", cut)
        write_passages(folder, cut, encoded)
        asked = [len(p.questions) for p in cut if p.questions]
        each = sum(asked) / max(1, len(asked))
        write_examples(folder, fit(_examples(cut, encoded, encoder), encoder.dimensions, each))
        manifest = Manifest(
            format=FORMAT,
            created=created.isoformat(timespec="seconds"),
            knowledge=read.digest,
            encoder=encoder.identity,
            dimensions=encoder.dimensions,
            longest=LONGEST,
            documents=len(read.documents),
            passages=len(cut),
            reused=sum(p.id in known for p in cut),
            skipped=[asdict(f) for f in read.skipped],
            versions={package: version(package) for package in VERSIONED},
        )
        manifest.write(folder)
        if hasattr(os, "sync"):
            os.sync()  # Chroma and tantivy wrote files of their own: a power cut must not lose them
        swap(index, generation)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return manifest


def _encode(cut: list[Passage], known: dict[str, Encoded], encoder: Encoder, progress: bool) -> list[Encoded]:
    """What the encoder makes of each passage; only passages that are new are encoded."""
    new = [p for p in cut if p.id not in known]
    spans = {p.id: sentences(p.text) for p in new}
    parts = list(dict.fromkeys(titled(p.title, p.text[a:b]) for p in new for a, b in spans[p.id]))
    questions = list(dict.fromkeys(q for p in new for q in (*p.questions, *p.gaps)))
    as_text = dict(zip(parts, encoder.passages(parts, progress=progress) if parts else (), strict=True))
    as_question = dict(zip(questions, encoder.queries(questions), strict=True))
    read = encoder.read_passages([titled(p.title, p.text) for p in new], progress=progress)
    fresh = {}
    for passage, (vector, pieces) in zip(new, read, strict=True):
        inside = spans[passage.id]
        head = len(titled(passage.title, ""))
        fresh[passage.id] = Encoded(
            np.stack(
                [
                    vector[0],
                    *(as_text[titled(passage.title, passage.text[a:b])] for a, b in inside),
                    *(as_question[q] for q in (*passage.questions, *passage.gaps)),
                ]
            )
            .astype(np.float16)  # as they are kept, so that vectors used again teach the same
            .astype(np.float32),
            pieces.as_bytes(),
            pieces.cuts([head + a for a, _ in inside]),
        )
    return [known[p.id] if p.id in known else fresh[p.id] for p in cut]


def _examples(
    passages: list[Passage], encoded: list[Encoded], encoder: Encoder
) -> Iterator[tuple[str, Sequence[str], Vectors]]:
    """What examples are learned from; passages without example questions stay out."""
    for passage, e in zip(passages, encoded, strict=True):
        _, gaps = e.starts(passage)
        if passage.questions:
            told = [passage.text[a:b] for a, b in sentences(passage.text)]
            yield passage.id, [*told, *passage.questions], e.vectors[1:gaps]
        yield NOTHING, passage.gaps, e.vectors[gaps:]
    if any(p.questions for p in passages):
        others = ELSEWHERE.read_text("utf-8").splitlines()
        yield NOTHING, others, encoder.queries(others)


def _tidy(index: Path) -> None:
    """Remove generations that no longer serve, and what killed builds left."""
    serving = current(index)
    others = sorted(p for p in (index / "generations").iterdir() if p.name != serving)
    finished = [p for p in others if (p / "manifest.json").is_file()]
    keep = set(finished[len(finished) - (KEPT - 1) :])
    for folder in others:
        if folder not in keep:
            shutil.rmtree(folder, ignore_errors=True)


def verify(index: Path) -> Manifest:
    """Check every offset, count and hash of the generation that serves; return its manifest.

    Raises IndexMissing, IndexOutdated, or IndexDamaged naming the first thing that is wrong.
    """
    generation = Generation(index / "generations" / current(index))
    documents = {d.id: d for d in generation.documents}
    if Knowledge(tuple(documents.values()), ()).digest != generation.manifest.knowledge:
        raise IndexDamaged("the index is damaged: its documents are not those it was built from")
    expected = {p.id: p for d in documents.values() for p in passages(d, generation.manifest.longest)}
    found = 0
    for passage, encoded in generation.everything():
        document = documents.get(passage.document_id)
        if document is None or document.text[passage.start : passage.end] != passage.text:
            raise IndexDamaged(f"the index is damaged: passage {passage.id} is not in its document")
        if expected.get(passage.id) != passage:
            raise IndexDamaged(f"the index is damaged: passage {passage.id} has another hash")
        count = len(sentences(passage.text))
        wanted = (1 + count + len(passage.questions) + len(passage.gaps), generation.manifest.dimensions)
        if (
            encoded.vectors.shape != wanted
            or not _units(encoded.vectors, 0.01)
            or not _units(encoded.pieces[:, :WIDTH] / np.float32(STEPS), 0.05)
            or len(encoded.cuts) != count + 1
        ):
            raise IndexDamaged(f"the index is damaged: the vectors of passage {passage.id} are not right")
        found += 1
    if found != generation.manifest.passages:
        raise IndexDamaged(f"the index is damaged: {found} passages of {generation.manifest.passages}")
    return generation.manifest


def _units(rows: np.ndarray[Any, Any], rounding: float) -> bool:
    """Whether the squared length of all rows is 1, but for what rounding took."""
    return bool((np.abs((rows**2).sum(axis=1) - 1) <= rounding).all())
