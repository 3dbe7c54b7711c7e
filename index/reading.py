"""Reads a passage beside a question: whether it answers, in which sentence, in which words.

A few layers like the encoder's own, taught to see question and passage as one text, over what the encoder's
lower layers made of either alone; so that a passage goes through those once, when the index is built (after
Cao et al., DeFormer, 2020, https://arxiv.org/abs/2005.00697). `index.training.reading` makes the weights.
Knows nothing about files or searching.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from index.bert import Layer
from index.judges import LONGEST_SPAN, Judged
from index.pieces import STEPS, WIDTH, Bytes, Pieces

LAYER = 8  # of the encoder, whose states are read; see index/training/README.md for what others gave
LAYERS = 3  # over these
KEPT = 192  # numbers of a passage's state that an index keeps for each piece
SHARPNESS = 12.0  # of the attention to alike pieces, before training
NEVER = -1e4  # a score that no piece reaches
UNLIKELY = 1e-6


@dataclass(frozen=True, slots=True)
class Side:
    """The pieces of some questions, or of as many passages, padded to the longest."""

    beside: torch.Tensor  # (pairs × pieces × hidden) states, or of a passage (… × KEPT) by `Reading.told`
    near: torch.Tensor  # (pairs × pieces × WIDTH) unit vectors of late interaction
    mask: torch.Tensor  # (pairs × pieces), False where there is none


class Reading(torch.nn.Module):
    """States of a question and of a passage → where an answer starts and ends, and whether there is one."""

    unit: torch.Tensor

    def __init__(self, config: Any, layers: int = LAYERS) -> None:
        """Of the encoder's configuration."""
        super().__init__()
        size = config.hidden_size
        self.told: torch.nn.Module = torch.nn.Linear(size, KEPT)
        self.text: torch.nn.Module = torch.nn.Linear(WIDTH + KEPT, size)
        self.alike, self.cosines = torch.nn.Linear(size, size), torch.nn.Linear(3, size)
        self.sharpness = torch.nn.Parameter(torch.tensor(SHARPNESS))
        self.first = torch.nn.Parameter(torch.zeros(1, 1, size))
        self.side = torch.nn.Parameter(torch.zeros(2, size))
        self.layers = torch.nn.ModuleList(Layer(config) for _ in range(layers))
        self.borders = torch.nn.Linear(size, 2)
        self.answers = torch.nn.Sequential(
            torch.nn.Linear(2 * size, size), torch.nn.GELU(), torch.nn.Linear(size, 1)
        )
        self.drop: torch.nn.Module = torch.nn.Identity()  # for training to put something in
        self.register_buffer("unit", torch.tensor(1.0))  # a step of a number of `told` in the index

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
        seen = torch.stack([best, telling.to(best.dtype), met.expand_as(best)], -1)
        text = self.text(torch.cat([told.near, told.beside], -1))
        text = text + self.alike(nearest @ asked.beside) + self.cosines(seen)
        pairs, count = there.shape
        x = torch.cat([self.first.expand(pairs, -1, -1), asked.beside + self.side[0], text + self.side[1]], 1)
        mask = torch.cat([torch.ones_like(there[:, :1]), there, here], 1)[:, None, None]
        looked_at = None if bool(mask.all()) else mask  # attention is faster without a mask
        x = self.drop(x)
        for layer in self.layers:
            x = layer(x, looked_at)
        x = self.drop(x)
        text = x[:, 1 + count :]
        borders = self.borders(text).float().masked_fill(~here[..., None], NEVER)
        most = text.masked_fill(~here[..., None], NEVER).amax(1)
        answers: torch.Tensor = self.answers(torch.cat([x[:, 0], most], -1))[:, 0].float()
        return borders[..., 0], borders[..., 1], answers

    @torch.inference_mode()
    def judge(self, question: Pieces, pieces: Bytes, cuts: Sequence[int]) -> Judged:
        """What it says of a passage, given by its pieces and the first piece of each sentence (and the last
        of all). The span is in pieces.
        """
        if not len(question.weights):
            return Judged((), (0, 0))
        text = torch.from_numpy(pieces.astype(np.float32))[None]
        starts, ends, answers = self(
            Side(_one(question.beside), _one(question.vectors), _all(len(question.weights))),
            Side(text[..., WIDTH:] * self.unit, text[..., :WIDTH] / STEPS, _all(len(pieces))),
            _one(question.weights),
        )
        return _judged(starts[0], ends[0], float(torch.sigmoid(answers[0])), cuts)


def _one(values: np.ndarray[Any, np.dtype[np.float32]]) -> torch.Tensor:
    return torch.from_numpy(values)[None]


def _all(count: int) -> torch.Tensor:
    return torch.ones(1, count, dtype=torch.bool)


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
