"""Questions and passages encoded once, for training what reads the encoder's states.

Paragraphs are cut as documents are. Everything is kept in one folder and read from there the next time.
"""

import json
import pickle
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from index.documents import Document
from index.encoder import PROMPTS
from index.packed import ENDS, PackedBert
from index.passages import passages, titled
from index.reading import LAYER
from index.training import data

ENGLISH = (
    "en-squad11_dev", "en-squad11_train_subset", "en-squad20_dev_half", "en-squadshifts_new_wiki",
    "en-squadshifts_reddit",
)  # fmt: skip
OTHERS = ("es-squad_es_v11_dev_small", "it-squad_it_test")
UNANSWERABLE = ("en-squad20_dev_half", "en-squad20_test_half_unanswerable_inferred")
AS_TYPED = {"fr": 3, "written": 1}  # more spellings of a question, by its source
AROUND = 1500  # characters kept on either side of an answer in a long text
NEAREST = 20  # passages that a question may be held against
AT_ONCE = 6000  # pieces in a batch
TEACHER_LAYER = 6  # whose states the larger model reads that teaches
Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the passage that answers it (-1 for none) with the answer's place in its text, the other
    passages of the same paragraph (all of them when none answers), and the rows of its spellings.
    """

    source: str  # "fr", "written", "other" or "dev"
    passage: int
    start: int
    end: int
    beside: tuple[int, ...]
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class States:
    """Texts and the states of their pieces, one after the other; those of text i lie from starts[i] on."""

    starts: Numbers
    ends: Numbers  # where each piece ends in its text, in characters
    states: Numbers  # (pieces × hidden), of the encoder's layer LAYER, half precision
    lower: Numbers  # the same of TEACHER_LAYER
    near: Numbers  # (pieces × WIDTH), of late interaction, half precision
    rarity: Numbers
    whole: Numbers  # (texts × hidden) unit vectors

    @staticmethod
    def load(folder: Path) -> "States":
        """What `encode` kept in a folder."""
        names = States.__slots__  # type: ignore[attr-defined]
        return States(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in names))


@torch.no_grad()
def encode(encoder: PackedBert, texts: list[str], prompt: str, folder: Path) -> None:
    """Encode texts, the longest first, and keep their States in a folder."""
    assert encoder.late
    folder.mkdir(parents=True, exist_ok=True)
    ends = [encoder.preprocess([text], prompt=prompt)[ENDS][0] for text in texts]
    own = [e > len(prompt) for e in ends]
    starts = np.cumsum([0, *(int(o.sum()) for o in own)])
    hidden, total = encoder.get_embedding_dimension(), int(starts[-1])
    open_ = np.lib.format.open_memmap
    states = open_(folder / "states.npy", "w+", np.float16, (total, hidden))
    lower = open_(folder / "lower.npy", "w+", np.float16, (total, hidden))
    near = open_(folder / "near.npy", "w+", np.float16, (total, encoder.late.project.out_features))
    rarity, whole = np.zeros(total, np.float32), np.zeros((len(texts), hidden), np.float32)
    order = sorted(range(len(texts)), key=lambda i: -len(ends[i]))
    while order:
        count = max(1, AT_ONCE // len(ends[order[0]]))
        part, order = order[:count], order[count:]
        batch = encoder.preprocess([texts[i] for i in part], prompt=prompt)
        ids, mask = (batch[name].to(encoder.bert.device) for name in ("input_ids", "attention_mask"))
        out = encoder.bert(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        vectors, rare = encoder.late(out.last_hidden_state, ids)
        mean = (out.last_hidden_state * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        for row, i in enumerate(part):
            place, kept = slice(starts[i], starts[i + 1]), own[i].nonzero()[:, 0]
            for layer, into in ((LAYER, states), (TEACHER_LAYER, lower)):
                into[place] = out.hidden_states[layer][row, kept].half().cpu().numpy()
            near[place], rarity[place] = (
                vectors[row, kept].half().cpu().numpy(),
                rare[row, kept].cpu().numpy(),
            )
            whole[i] = torch.nn.functional.normalize(mean[row], dim=-1).cpu().numpy()
    flat = np.concatenate([e[o].numpy() - len(prompt) for e, o in zip(ends, own, strict=True)])
    for name, values in (("starts", starts), ("ends", flat), ("rarity", rarity), ("whole", whole)):
        np.save(folder / f"{name}.npy", values)


def questions(folder: Path) -> Iterator[tuple[str, data.Question]]:
    """All of them with their source; start = end = 0 where the paragraph holds no answer."""
    for item in data.piaf(folder):
        yield "dev" if data.held_out(item.title) else "fr", item
    for item in data.afriqa(folder):
        low = max(0, item.start - AROUND)
        text = item.text[low : item.end + AROUND]
        yield "fr", data.Question(item.question, item.title, text, item.start - low, item.end - low)
    for item in data.written(folder):
        yield "written", item
    for name in dict.fromkeys((*ENGLISH, *OTHERS, *UNANSWERABLE)):
        for line in data.lines(folder / "qa" / f"{name}.jsonl.zst"):
            row = json.loads(line)
            title, answers = str(row.get("title") or "").replace("_", " "), row.get("answers")
            if not answers and name not in UNANSWERABLE:
                continue
            start = answers[0]["answer_start"] if answers else 0
            end = start + len(answers[0]["text"]) if answers else 0
            yield "other", data.Question(row["question"], title, row["context"], start, end)


@dataclass(frozen=True, slots=True)
class Corpus:
    """All questions and passages (title, text), their States, and for each question its NEAREST passages."""

    asked: list[Asked]
    passages: list[tuple[str, str]]
    questions: States
    told: States
    nearest: Numbers


def corpus(folder: Path, encoder: PackedBert, kept: Path, seed: int) -> Corpus:
    """Cut and encode the questions of `folder`, or read what an earlier run kept."""
    if not (kept / "asked.pickle").is_file():
        asked, cut, spellings = _cut(folder, random.Random(seed))
        encode(encoder, spellings, PROMPTS["query"], kept / "questions")
        encode(encoder, [titled(*each) for each in cut], PROMPTS["document"], kept / "passages")
        (kept / "asked.pickle").write_bytes(pickle.dumps((asked, cut)))
    asked, cut = pickle.loads((kept / "asked.pickle").read_bytes())
    states, told = States.load(kept / "questions"), States.load(kept / "passages")
    return Corpus(asked, cut, states, told, _nearest(asked, states.whole, told.whole))


def _cut(folder: Path, rng: random.Random) -> tuple[list[Asked], list[tuple[str, str]], list[str]]:
    asked: list[Asked] = []
    spellings: list[str] = []
    number: dict[tuple[str, str], int] = {}
    seen = set()
    for source, item in questions(folder):
        if (item.question, item.text[:60]) in seen:
            continue
        seen.add((item.question, item.text[:60]))
        parts = passages(Document("", item.title, item.text))
        ids = [number.setdefault((p.title, p.text), len(number)) for p in parts]
        gold = -1
        for p, i in zip(parts, ids, strict=True):
            if p.start <= item.start < item.end <= p.end:
                gold, start, end = i, item.start - p.start, item.end - p.start
        if gold < 0 and item.end:
            continue  # the answer runs over a cut
        if source == "other":
            typed = [data.asked(item.question, rng)]
        else:
            more = AS_TYPED.get(source, 0)
            typed = [item.question, *(data.asked(item.question, rng) for _ in range(more))]
        rows = tuple(range(len(spellings), len(spellings) + len(typed)))
        spellings += typed
        place = (start, end) if gold >= 0 else (0, 0)
        asked.append(Asked(source, gold, *place, tuple(i for i in ids if i != gold), rows))
    return asked, list(number), spellings


def _nearest(asked: list[Asked], questions: Numbers, told: Numbers) -> Numbers:
    """The NEAREST passages to each question in its language, by whole vectors, those of "dev" left out."""
    near = np.full((len(asked), NEAREST), -1, np.int32)
    for sources in (("fr", "written"), ("other",)):
        mine = [i for i, a in enumerate(asked) if a.source in sources]
        pool = np.array(sorted({p for i in mine for p in (asked[i].passage, *asked[i].beside) if p >= 0}))
        for first in range(0, len(mine), 1000):
            part = mine[first : first + 1000]
            scores = questions[[asked[i].rows[0] for i in part]] @ told[pool].T
            for i, row in zip(part, np.argsort(-scores, axis=1), strict=True):
                found = [p for p in pool[row[: NEAREST + 1]] if p != asked[i].passage][:NEAREST]
                near[i, : len(found)] = found
    return near
