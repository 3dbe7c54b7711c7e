"""Questions and passages cut into pieces once, for training what reads them.

Paragraphs are cut as documents are. Everything is kept in one file and read from there the next time, so
that a machine without the data can train.
"""

import json
import pickle
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from index.documents import Document
from index.encoder import PROMPTS
from index.packed import ENDS, PackedBert
from index.passages import passages, titled
from index.training import data

OTHERS = (
    "en-squad11_dev", "en-squad11_train_subset", "en-squad20_dev_half", "en-squadshifts_new_wiki",
    "en-squadshifts_reddit", "en-squadshifts_amazon_reviews", "en-nq_qed", "en-nq_open_oracle",
    "en-fairytaleqa_explicit", "es-squad_es_v11_dev_small", "it-squad_it_test", "pt-faquad",
)  # fmt: skip
UNANSWERABLE = (
    "en-squad20_dev_half", "en-squad20_test_half_unanswerable_inferred", "es-squad_es_v20_dev_small",
)  # fmt: skip
AS_TYPED = {"fr": 3, "written": 1}  # more spellings of a question, by its source
LONG, AROUND = 6000, 1500  # of a longer text, so many characters are kept on either side of an answer
AT_ONCE = 2000  # texts
MULTIPLE = 16  # of which the count of pieces in a batch is one
UNKNOWN = -1
Numbers = np.ndarray[tuple[int, ...], np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the passage that answers it (UNKNOWN for none) with the answer's place in it, in characters
    of its text and in pieces (the first and the last; UNKNOWN where it was cut off), the other passages of
    the same paragraph (all of them when none answers), and the rows of its spellings.
    """

    source: str  # "fr", "written", "other" or "dev"
    passage: int
    place: tuple[int, int]
    pieces: tuple[int, int]
    beside: tuple[int, ...]
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Padded:
    """Some texts, (texts × pieces) each."""

    ids: torch.Tensor
    mask: torch.Tensor  # False where there is no piece
    own: torch.Tensor  # False also for prompts and marks
    body: torch.Tensor  # False also for titles


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts as pieces, one after the other; those of text i lie from starts[i] on."""

    pieces: Numbers
    starts: Numbers
    own: Numbers  # how many pieces of a text are its prompt and the mark before it
    head: Numbers  # the same with its title

    def one(self, row: int) -> Numbers:
        """The pieces of a text."""
        return self.pieces[self.starts[row] : self.starts[row + 1]]

    def lengths(self, rows: Sequence[int] | slice = slice(None)) -> Numbers:
        """How many pieces some texts have."""
        found: Numbers = np.diff(self.starts)[rows]
        return found

    def padded(self, rows: Sequence[int], longest: int, device: torch.device) -> Padded:
        """Some texts, each up to `longest` pieces."""
        whole = self.lengths(rows)
        width = -(-int(min(whole.max(), longest)) // MULTIPLE) * MULTIPLE
        place = np.arange(width)
        mask = place < np.minimum(whole, longest)[:, None]
        ids = self.pieces[np.minimum(self.starts[rows][:, None] + place, len(self.pieces) - 1)].astype(int)
        own = mask & (place >= self.own[rows][:, None]) & (place < whole[:, None] - 1)
        body = own & (place >= self.head[rows][:, None])
        return Padded(*(torch.from_numpy(x).to(device) for x in (ids * mask + ~mask, mask, own, body)))


@dataclass(frozen=True, slots=True)
class Corpus:
    """All questions and passages (title, text), and their pieces."""

    asked: list[Asked]
    passages: list[tuple[str, str]]
    questions: Texts
    told: Texts


def corpus(folder: Path, encoder: PackedBert, kept: Path, seed: int) -> Corpus:
    """Cut the questions and passages of `folder`, or read what an earlier run kept in a file."""
    if not kept.is_file():
        kept.write_bytes(pickle.dumps(_cut(folder, encoder, random.Random(seed))))
    found: Corpus = pickle.loads(kept.read_bytes())
    return found


def questions(folder: Path) -> Iterator[tuple[str, data.Question]]:
    """All of them with their source; start = end = 0 where the paragraph holds no answer."""
    for item in data.piaf(folder):
        yield "dev" if data.held_out(item.title) else "fr", item
    for item in data.afriqa(folder):
        yield "fr", _around(item)
    for item in data.written(folder):
        yield "written", item
    for name in dict.fromkeys((*OTHERS, *UNANSWERABLE)):
        for line in data.lines(folder / "qa" / f"{name}.jsonl.zst"):
            row = json.loads(line)
            title, answers = str(row.get("title") or "").replace("_", " "), row.get("answers")
            if not answers and name not in UNANSWERABLE:
                continue
            start = answers[0]["answer_start"] if answers else 0
            end = start + len(answers[0]["text"]) if answers else 0
            item = data.Question(row["question"], title, row["context"], start, end)
            yield "other", _around(item) if len(item.text) > LONG else item


def _around(item: data.Question) -> data.Question:
    low = max(0, item.start - AROUND)
    text = item.text[low : item.end + AROUND]
    return data.Question(item.question, item.title, text, item.start - low, item.end - low)


def _cut(folder: Path, encoder: PackedBert, rng: random.Random) -> Corpus:
    found: list[tuple[str, int, tuple[int, int], tuple[int, ...], tuple[int, ...]]] = []
    spellings: list[str] = []
    number: dict[tuple[str, str], int] = {}
    seen = set()
    for source, item in questions(folder):
        if (item.question, item.text[:60]) in seen:
            continue
        seen.add((item.question, item.text[:60]))
        parts = passages(Document("", item.title, item.text))
        ids = [number.setdefault((p.title, p.text), len(number)) for p in parts]
        gold, place = UNKNOWN, (0, 0)
        for p, i in zip(parts, ids, strict=True):
            if p.start <= item.start < item.end <= p.end:
                gold, place = i, (item.start - p.start, item.end - p.start)
        if gold == UNKNOWN and item.end:
            continue  # the answer runs over a cut
        more = AS_TYPED.get(source, 0)
        typed = [data.asked(item.question, rng)] if source == "other" else [item.question]
        typed += [data.asked(item.question, rng) for _ in range(more)]
        rows = tuple(range(len(spellings), len(spellings) + len(typed)))
        spellings += typed
        found.append((source, gold, place, tuple(i for i in ids if i != gold), rows))
    told, ends = _pieces(encoder, PROMPTS["document"], [*number])
    asked = [
        Asked(source, gold, place, _place(ends[gold], place) if gold >= 0 else (UNKNOWN, UNKNOWN), *rest)
        for source, gold, place, *rest in found
    ]
    return Corpus(
        asked, list(number), _pieces(encoder, PROMPTS["query"], [("", s) for s in spellings])[0], told
    )


def _pieces(encoder: PackedBert, prompt: str, texts: list[tuple[str, str]]) -> tuple[Texts, list[Numbers]]:
    """Titled texts, and where each of their pieces ends, in characters of the text without its title."""
    ids, ends, own, head = [], [], [], []
    for first in range(0, len(texts), AT_ONCE):
        part = texts[first : first + AT_ONCE]
        batch = encoder.preprocess([titled(*each) for each in part], prompt=prompt)
        for row, (title, _) in enumerate(part):
            count, before = int(batch["attention_mask"][row].sum()), len(titled(title, ""))
            ids.append(batch["input_ids"][row, :count].numpy().astype(np.uint16))
            end = batch[ENDS][row, :count].numpy() - len(prompt)
            own.append(int((end[:-1] <= 0).sum()))
            head.append(max(own[-1], int((end[:-1] <= before).sum())))
            ends.append(end - before)
    starts = np.cumsum([0, *map(len, ids)])
    return Texts(np.concatenate(ids), starts, np.array(own), np.array(head)), ends


def _place(ends: Numbers, place: tuple[int, int]) -> tuple[int, int]:
    """The first and the last piece of a span of characters."""
    start, end = (int(i) for i in np.searchsorted(ends[:-1], [place[0] + 1, place[1]]))
    return (start, end) if end < len(ends) - 1 else (UNKNOWN, UNKNOWN)
