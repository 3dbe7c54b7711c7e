"""The encoder: texts → unit vectors, and one a piece. SentenceTransformer is imported here alone.

Knows where the bundled French model lies and which prefixes a model wants; nothing about passages.
"""

import hashlib
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.embeddings import Embeddings

from index.errors import EncoderMissing
from index.judges import Judged
from index.passages import sentences, titled
from index.pieces import NONE, Bytes, Ends, Pieces, cuts_of

if TYPE_CHECKING:
    import torch  # when it is needed: the import takes a second

    from index.packed import PackedBert

BUNDLED = Path(__file__).parent / "models" / "repere-encoder-fr"
READING = "reading.safetensors"  # in its folder or another's: what reads a passage beside a question
PROMPTS = {"query": "query: ", "document": "passage: "}  # what the bundled model was trained with
REMEMBERED = 4096  # texts whose vectors are kept, 1.5 KB each
READ = 512  # questions whose pieces are kept, about 10 KB each, and passages whose pieces’ ends are, 2 KB
AT_ONCE = 256  # texts whose pieces are held in memory as they leave the model
BATCH = 32  # texts that go through a model together
MANY = 512  # texts; more of them, which a build has, go through sentence-transformers
Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class EncoderName:
    """Which model to load: "" for the bundled one, a folder, or a name on the hub.

    A prefix of None means the model's own prompt, or for E5 models « query: » and « passage: ».
    """

    model: str = ""
    query_prefix: str | None = None
    passage_prefix: str | None = None

    @staticmethod
    def from_environment() -> "EncoderName":
        """Read REPERE_ENCODER, REPERE_QUERY_PREFIX and REPERE_PASSAGE_PREFIX."""
        return EncoderName(
            os.environ.get("REPERE_ENCODER", ""),
            os.environ.get("REPERE_QUERY_PREFIX"),
            os.environ.get("REPERE_PASSAGE_PREFIX"),
        )

    @property
    def identity(self) -> str:
        """What the manifest keeps: the name, the weights' digest for a local folder, the prefixes.

        Raises EncoderMissing when the bundled model or the folder is not there.
        """
        folder = Path(self.model) if self.model else BUNDLED
        if self.model and not folder.is_dir():
            name = self.model
        else:
            name = f"{folder.name}@{_weights_digest(folder)}"
        prefixes = [p for p in (self.query_prefix, self.passage_prefix) if p is not None]
        return " ".join([name, *(json.dumps(p) for p in prefixes)])


def _weights_digest(folder: Path) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of the weight files of a local model."""
    files = sorted(folder.glob("**/*.safetensors")) + sorted(folder.glob("tokenizer.json"))
    if not files:
        raise EncoderMissing(f"no model weights in « {folder.name} »; check REPERE_ENCODER")
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


class Encoder(Embeddings):
    """A LangChain `Embeddings` over the bundled model or any other that sentence-transformers loads."""

    def __init__(self, name: EncoderName | None = None) -> None:
        self.name = name or EncoderName()
        self.identity = self.name.identity
        self._remembered: OrderedDict[str, Vectors] = OrderedDict()
        self._ends = lru_cache(READ)(self._cut_off)
        self._read_question = lru_cache(READ)(lambda text: next(self._read([text], self._query, False)))
        self._lock = threading.Lock()
        self._packed: PackedBert | None = None  # the bundled model, or one that lies on disk as that does
        self._load()
        prompts = PROMPTS if self._packed else {k: v for k, v in self._pipeline.prompts.items() if v}
        e5 = "e5" in self.name.model.lower().split("/")[-1].replace("_", "-").split("-")
        self._query = self._prefix(self.name.query_prefix, prompts.get("query"), "query: " if e5 else "")
        own = prompts.get("document") or prompts.get("passage")
        self._passage = self._prefix(self.name.passage_prefix, own, "passage: " if e5 else "")
        self.dimensions = int(self.passages([""]).shape[1])

    @staticmethod
    def _prefix(asked: str | None, own: str | None, default: str) -> str:
        return asked if asked is not None else own or default

    def _load(self) -> None:
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from index.packed import WEIGHTS, PackedBert  # here: PyTorch takes more than a second

        folder = Path(self.name.model) if self.name.model else BUNDLED
        try:
            if (folder / WEIGHTS).is_file():
                self._packed = PackedBert.for_inference(folder)
            else:
                _ = self._pipeline
        except Exception as error:  # the libraries raise many, of damaged files some that are theirs alone
            raise EncoderMissing(
                f"the encoder « {self.name.model or BUNDLED.name} » cannot be loaded "
                f"({type(error).__name__}); check REPERE_ENCODER and the network, or unset it"
            ) from error

    @cached_property
    def _pipeline(self) -> Any:
        """What sentence-transformers encodes with. The import takes seconds: a question to the bundled model
        does without.
        """
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        if self._packed:
            return SentenceTransformer(modules=[self._packed], device="cpu")
        local = Path(self.name.model).is_dir()
        return SentenceTransformer(
            self.name.model, device="cpu", local_files_only=local, model_kwargs={"dtype": "float32"}
        )

    def passages(self, texts: list[str], *, progress: bool = False) -> Vectors:
        """Encode passages into a (texts × dimensions) float32 matrix of unit vectors."""
        return self._encode([self._passage + text for text in texts], progress=progress)

    def query(self, text: str) -> Vectors:
        """Encode one question into a (1 × dimensions) matrix; the last few thousand are remembered."""
        return self.queries([text])

    def read_passages(self, texts: list[str], *, progress: bool = False) -> Iterator[tuple[Vectors, Pieces]]:
        """Encode passages one after the other into a (1 × dimensions) matrix and their pieces."""
        return self._read(texts, self._passage, progress)

    def read_question(self, text: str) -> tuple[Vectors, Pieces]:
        """The same for a question; the last few hundred are remembered."""
        return self._read_question(text)

    def _read(self, texts: list[str], prefix: str, progress: bool) -> Iterator[tuple[Vectors, Pieces]]:
        full = [prefix + text for text in texts]
        packed = self._packed
        if packed is None or packed.late is None:
            yield from ((row[None], NONE) for row in self._encode(full, progress=progress))
            return
        from index.packed import ENDS, RARITY, SENTENCE, STATES, VECTORS

        question = prefix == self._query
        for first in range(0, len(full), AT_ONCE):
            part = full[first : first + AT_ONCE]
            for features in self._features(part, progress):
                ends = features[ENDS].numpy()
                own = np.flatnonzero(ends > len(prefix))
                rarity = features[RARITY].numpy()[own]
                yield (
                    np.asarray(features[SENTENCE].numpy(), dtype=np.float32)[None],
                    Pieces(
                        features[VECTORS].numpy()[own],
                        ends[own] - len(prefix),
                        rarity / max(1e-9, rarity.sum()),
                        self._beside(features[STATES][own], question)
                        if packed.reading
                        else np.zeros((len(own), 0), np.float32),
                    ),
                )

    def _features(self, texts: list[str], progress: bool = False) -> Iterable[dict[str, "torch.Tensor"]]:
        """What the bundled model makes of each text."""
        import torch

        assert self._packed
        found: list[dict[str, torch.Tensor]]
        if progress or len(texts) > MANY:
            found = self._pipeline.encode(
                texts, batch_size=BATCH, output_value=None, show_progress_bar=progress
            )
            return found
        found = [{}] * len(texts)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # alike in length: little padding
        with torch.inference_mode():
            for first in range(0, len(order), BATCH):
                part = order[first : first + BATCH]
                made = self._packed(self._packed.preprocess([texts[i] for i in part]))
                for row, i in enumerate(part):
                    found[i] = {name: values[row] for name, values in made.items()}
        return found

    def _beside(self, states: "torch.Tensor", question: bool) -> Vectors:
        """What `index.reading` takes of the pieces of a question, or in its steps of a passage."""
        import torch

        assert self._packed
        assert self._packed.reading
        reading = self._packed.reading
        with torch.inference_mode():
            taken = states if question else reading.told(states) / reading.unit
        return np.asarray(taken.numpy(), dtype=np.float32)

    def judge(self, question: str, passages: Sequence[tuple[str, str, Bytes]]) -> list[Judged]:
        """What the bundled model says of passages, read beside a question; nothing without such a model.

        A passage is its title, its text and its pieces.
        """
        reading = self._packed.reading if self._packed else None
        if reading is None:
            return []
        asked, judged = self.read_question(question)[1], []
        for title, text, pieces in passages:
            ends = self._ends(title, text)
            said = reading.judge(asked, pieces, cuts_of(ends, [start for start, _ in sentences(text)]))
            judged.append(replace(said, span=_characters(text, ends, said.span)))
        return judged

    def _cut_off(self, title: str, text: str) -> Ends:
        """Where each piece of a passage under its title ends in the text; not above 0 for the title's."""
        from index.packed import ENDS

        assert self._packed
        head = len(self._passage)
        ends = self._packed.preprocess([self._passage + titled(title, text)])[ENDS][0].numpy()
        return np.asarray(ends[ends > head] - head - len(titled(title, "")))

    def queries(self, texts: list[str]) -> Vectors:
        """Encode questions, each only once, into a (texts × dimensions) matrix."""
        return self.remembered(texts, self._query)

    def remembered(self, texts: list[str], prefix: str | None = None) -> Vectors:
        """Encode short texts, each only once: the last REMEMBERED vectors are kept. Thread-safe.

        They are taken for passages unless `prefix` says otherwise.
        """
        full = [(self._passage if prefix is None else prefix) + text for text in texts]
        with self._lock:
            known = {t: self._remembered[t] for t in full if t in self._remembered}
        missing = list(dict.fromkeys(t for t in full if t not in known))
        if missing:
            rows = self._encode(missing)
            known |= {t: rows[i : i + 1] for i, t in enumerate(missing)}
        with self._lock:
            for text in full:
                self._remembered[text] = known[text]
                self._remembered.move_to_end(text)
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return (
            np.concatenate([known[t] for t in full]) if full else np.zeros((0, self.dimensions), np.float32)
        )

    def _encode(self, texts: list[str], *, progress: bool = False) -> Vectors:
        if self._packed and not progress and 0 < len(texts) <= MANY:
            from index.packed import SENTENCE

            return np.stack([each[SENTENCE].numpy() for each in self._features(texts)])
        vectors = self._pipeline.encode(
            texts,
            batch_size=BATCH,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=progress,
        )
        return np.asarray(vectors, dtype=np.float32)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """LangChain's door for passages: one list of floats a text."""
        rows: list[list[float]] = self.passages(texts).tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        """LangChain's door for a question."""
        row: list[float] = self.query(text)[0].tolist()
        return row


def _characters(text: str, ends: Ends, span: tuple[int, int]) -> tuple[int, int]:
    """A span of pieces as (start, end) in the text; (0, 0) for none."""
    start, end = (max(0, int(ends[i - 1])) if i else 0 for i in span)
    return start + len(text[start:end]) - len(text[start:end].lstrip()), end
