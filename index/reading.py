"""Reads a passage beside a question: whether it answers, in which sentence, in which words.

A small transformer over states that the encoder made of either text alone, so that a passage is encoded
once, when the index is built (after Cao et al., DeFormer, 2020, https://arxiv.org/abs/2005.00697).
`index.training.reading` makes its weights. Knows nothing about files or searching.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from index.judges import LONGEST_SPAN, Judged
from index.pieces import STEPS, WIDTH, Bytes, Pieces

LAYER = 8  # of the encoder, whose states are read; see index/training/README.md for what others gave
SIZE, LAYERS, HEADS = 192, 4, 3
DROPOUT = 0.1
SHARPNESS = 12.0  # of the attention to alike pieces, before training
TOLD_AT = 40  # position of a passage's first piece: behind the longest of questions
NEVER = -1e4  # a score that no piece reaches
UNLIKELY = 1e-6


class Layer(torch.nn.Module):
    """One layer of a transformer with rotary positions (Su et al., 2021), normalised before each step."""

    def __init__(self) -> None:
        super().__init__()
        self.before = torch.nn.LayerNorm(SIZE)
        self.attend = torch.nn.Linear(SIZE, 3 * SIZE)
        self.mix = torch.nn.Linear(SIZE, SIZE)
        self.between = torch.nn.LayerNorm(SIZE)
        self.widen = torch.nn.Linear(SIZE, 4 * SIZE)
        self.narrow = torch.nn.Linear(4 * SIZE, SIZE)
        self.drop = torch.nn.Dropout(DROPOUT)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None, turns: torch.Tensor) -> torch.Tensor:
        """(pairs × places × SIZE) → the same; `mask` is False for places that nothing may look at."""
        pairs, places, _ = x.shape
        wide = self.attend(self.before(x)).view(pairs, places, 3, HEADS, SIZE // HEADS)
        query, key = turned(wide[:, :, :2], turns).permute(2, 0, 3, 1, 4)
        value = wide[:, :, 2].transpose(1, 2)
        found = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        x = x + self.drop(self.mix(found.transpose(1, 2).reshape(pairs, places, SIZE)))
        return torch.add(x, self.drop(self.narrow(functional.gelu(self.widen(self.between(x))))))


def turned(x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
    """(pairs × places × 2 × HEADS × size of a head) → the same, each two coordinates turned as one complex
    number by the angle of their place.
    """
    numbers = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2)) * turns
    return torch.view_as_real(numbers).flatten(-2).to(x.dtype)


def turns_of(places: torch.Tensor) -> torch.Tensor:
    """What `turned` multiplies with at some places: (places × 1 × 1 × half the size of a head)."""
    width = SIZE // HEADS
    angles = places[:, None] * 10_000 ** (-torch.arange(0, width, 2, device=places.device) / width)
    return torch.complex(angles.cos(), angles.sin())[:, None, None]


@dataclass(frozen=True, slots=True)
class Side:
    """The pieces of some questions, or of as many passages, padded to the longest."""

    beside: torch.Tensor  # (pairs × pieces × SIZE), by `Reading.asked` or `Reading.told`
    near: torch.Tensor  # (pairs × pieces × WIDTH) unit vectors of late interaction
    mask: torch.Tensor  # (pairs × pieces), False where there is none


class Reading(torch.nn.Module):
    """States of a question and of a passage → where an answer starts and ends, and whether there is one."""

    unit: torch.Tensor

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.asked, self.told = torch.nn.Linear(hidden, SIZE), torch.nn.Linear(hidden, SIZE)
        self.alike, self.both = torch.nn.Linear(SIZE, SIZE), torch.nn.Linear(SIZE, SIZE)
        self.cosines = torch.nn.Linear(3, SIZE)
        self.sharpness = torch.nn.Parameter(torch.tensor(SHARPNESS))
        self.first = torch.nn.Parameter(torch.zeros(1, 1, SIZE))
        self.side = torch.nn.Parameter(torch.zeros(2, SIZE))
        self.layers = torch.nn.ModuleList(Layer() for _ in range(LAYERS))
        self.after = torch.nn.LayerNorm(SIZE)
        self.borders = torch.nn.Linear(SIZE, 2)
        self.answers = torch.nn.Sequential(
            torch.nn.Linear(2 * SIZE, SIZE), torch.nn.GELU(), torch.nn.Linear(SIZE, 1)
        )
        self.drop = torch.nn.Dropout(DROPOUT)
        self.register_buffer("unit", torch.tensor(1.0))  # a step of a coordinate of `told` in the index

    def forward(
        self, asked: Side, told: Side, weights: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Log-odds but for a constant that a piece starts and that it ends the answer, (pairs × pieces) each,
        and log-odds that the passage answers, (pairs). `weights` are those of the question's pieces.
        """
        here, there = told.mask, asked.mask
        cosines = (told.near @ asked.near.transpose(1, 2)).masked_fill(~there[:, None], -1.0)
        best = cosines.amax(-1)
        telling = (cosines.clamp(min=0) * weights[:, None]).amax(-1) * there.sum(1, keepdim=True)
        met = (cosines.masked_fill(~here[..., None], -1).amax(1) * weights).sum(-1, keepdim=True)
        nearest = torch.softmax((cosines * self.sharpness).masked_fill(~there[:, None], NEVER), -1)
        alike = nearest @ asked.beside
        seen = torch.stack([best, telling, met.expand_as(best)], -1)
        text = told.beside + self.alike(alike) + self.both(told.beside * alike) + self.cosines(seen)
        pairs, count = there.shape
        x = torch.cat([self.first.expand(pairs, -1, -1), asked.beside + self.side[0], text + self.side[1]], 1)
        mask = torch.cat([torch.ones_like(there[:, :1]), there, here], 1)[:, None, None]
        looked_at = None if bool(mask.all()) else mask  # attention is faster without a mask
        places = torch.cat([torch.arange(1.0 + count), torch.arange(here.shape[1]) + float(TOLD_AT)])
        turns = turns_of(places.to(x.device))
        x = self.drop(x)
        for layer in self.layers:
            x = layer(x, looked_at, turns)
        x = self.after(x)
        text = x[:, 1 + count :]
        borders = self.borders(text).masked_fill(~here[..., None], NEVER)
        most = text.masked_fill(~here[..., None], NEVER).amax(1)
        answers: torch.Tensor = self.answers(torch.cat([x[:, 0], most], -1))[:, 0]
        return borders[..., 0], borders[..., 1], answers

    @torch.inference_mode()
    def judge(self, question: Pieces, passages: Sequence[tuple[Bytes, Sequence[int]]]) -> list[Judged]:
        """What it says of passages, each given by its pieces and the first piece of each sentence (and the
        last of all). Spans are in pieces.
        """
        if not passages or not len(question.weights):
            return [Judged((), (0, 0)) for _ in passages]
        many, pieces_asked = len(passages), len(question.weights)
        asked = Side(
            torch.from_numpy(question.beside).expand(many, -1, -1),
            torch.from_numpy(question.vectors).expand(many, -1, -1),
            torch.ones(many, pieces_asked, dtype=torch.bool),
        )
        texts = torch.nn.utils.rnn.pad_sequence(
            [torch.from_numpy(pieces.astype(np.float32)) for pieces, _ in passages], batch_first=True
        )
        counts = torch.tensor([len(pieces) for pieces, _ in passages])
        told = Side(
            texts[..., WIDTH:] * self.unit,
            texts[..., :WIDTH] / STEPS,
            torch.arange(texts.shape[1]) < counts[:, None],
        )
        starts, ends, answers = self(asked, told, torch.from_numpy(question.weights).expand(many, -1))
        return [
            _judged(starts[i], ends[i], float(torch.sigmoid(answers[i])), cuts)
            for i, (_, cuts) in enumerate(passages)
        ]


def _judged(starts: torch.Tensor, ends: torch.Tensor, answers: float, cuts: Sequence[int]) -> Judged:
    """Of one passage; nothing starts or ends in its title."""
    first, last = cuts[0], cuts[-1]
    if first >= last:
        return Judged((0.0,) * (len(cuts) - 1), (0, 0))
    start, end = starts[first:last].softmax(0), ends[first:last].softmax(0)
    shares = [float(start[a - first : b - first].sum()) for a, b in itertools.pairwise(cuts)]
    odds = [min(max(answers * share, UNLIKELY), 1 - UNLIKELY) for share in shares]
    spans = (start[:, None] * end).triu().tril(LONGEST_SPAN)
    a, b = divmod(int(spans.argmax()), last - first)
    return Judged(tuple(float(np.log(p / (1 - p))) for p in odds), (first + a, first + b + 1))
