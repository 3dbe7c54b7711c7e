"""Reads a passage beside a question: whether it answers, in which sentence, in which words.

The encoder's lower layers see either text alone, so that their states of a passage serve many questions; its
own upper layers see both, and from the start which pieces are alike (after Cao et al., DeFormer, 2020,
https://arxiv.org/abs/2005.00697).
`index.training.reading` makes its weights. Knows nothing about files or searching.
"""

import copy
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import BertConfig, BertModel
from transformers.models.bert.modeling_bert import BertEncoder

from index.judges import LONGEST_SPAN, Judged
from index.pieces import STEPS, Bytes, Pieces

LAYER = 4  # of the encoder, whose states are read
DROPOUT = 0.1
SHARPNESS = 12.0  # of the attention to alike pieces, before training
NEVER = -1e4  # a score that no piece reaches
UNLIKELY = 1e-6


@dataclass(frozen=True, slots=True)
class Side:
    """The pieces of some questions, or of as many passages, padded to the longest."""

    states: torch.Tensor  # (pairs × pieces × hidden) of the encoder's layer LAYER
    near: torch.Tensor  # (pairs × pieces × WIDTH) unit vectors of late interaction
    mask: torch.Tensor  # (pairs × pieces), False where there is none


@dataclass(frozen=True, slots=True)
class Told:
    """A passage that is read: what the index keeps of its pieces, where in them each sentence starts and the
    last ends, and the encoder's states of them.
    """

    pieces: Bytes
    cuts: Sequence[int]
    states: torch.Tensor  # (pieces × hidden) of layer LAYER


class Reading(torch.nn.Module):
    """States of a question and of a passage → where an answer starts and ends, and whether there is one."""

    def __init__(self, config: BertConfig) -> None:
        """Over a BERT of this configuration; its weights are still to be loaded or made."""
        super().__init__()
        hidden = config.hidden_size
        self.alike, self.cosines = torch.nn.Linear(hidden, hidden), torch.nn.Linear(3, hidden)
        self.sharpness = torch.nn.Parameter(torch.tensor(SHARPNESS))
        self.first = torch.nn.Parameter(torch.zeros(1, 1, hidden))
        self.side = torch.nn.Parameter(torch.zeros(2, hidden))
        upper = copy.deepcopy(config)
        upper.num_hidden_layers -= LAYER
        upper._attn_implementation = "eager"  # in training twice as fast as torch's own over such short heads
        self.layers = BertEncoder(upper)  # type: ignore[no-untyped-call]
        self.borders = torch.nn.Linear(hidden, 2)
        self.answers = torch.nn.Sequential(
            torch.nn.Linear(2 * hidden, hidden), torch.nn.GELU(), torch.nn.Linear(hidden, 1)
        )
        self.drop = torch.nn.Dropout(DROPOUT)

    @staticmethod
    def beside(bert: BertModel) -> "Reading":
        """An untrained one: the layers of a BERT from LAYER on, and nothing yet of what lies between."""
        made = Reading(bert.config)
        for mine, its in zip(made.layers.layer, bert.encoder.layer[LAYER:], strict=True):
            mine.load_state_dict(its.state_dict())
        for part in (made.alike, made.cosines):
            torch.nn.init.zeros_(part.weight)
            torch.nn.init.zeros_(part.bias)
        return made

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
        seen = torch.stack([best, telling, met.expand_as(best)], -1)
        text = told.states + self.alike(nearest @ asked.states) + self.cosines(seen)
        pairs, count = there.shape
        x = torch.cat([self.first.expand(pairs, -1, -1), asked.states + self.side[0], text + self.side[1]], 1)
        mask = torch.cat([torch.ones_like(there[:, :1]), there, here], 1)
        x, looked = self.drop(x), (~mask)[:, None, None].to(x.dtype) * NEVER
        x = self.drop(self.layers(x, attention_mask=looked).last_hidden_state)
        text = x[:, 1 + count :]
        borders = self.borders(text).float().masked_fill(~here[..., None], NEVER)
        most = text.masked_fill(~here[..., None], NEVER).amax(1)
        answers: torch.Tensor = self.answers(torch.cat([x[:, 0], most], -1))[:, 0].float()
        return borders[..., 0], borders[..., 1], answers

    @torch.inference_mode()
    def judge(self, question: Pieces, passage: Told) -> Judged:
        """What it says of a passage. The span is in pieces."""
        if not len(question.weights) or not len(passage.pieces):
            return Judged((), (0, 0))
        told = torch.from_numpy(passage.pieces.astype(np.float32) / STEPS)
        states, near = torch.from_numpy(question.states), torch.from_numpy(question.vectors)
        starts, ends, answers = self(
            Side(states[None], near[None], torch.ones(1, len(near), dtype=torch.bool)),
            Side(passage.states[None].float(), told[None], torch.ones(1, len(told), dtype=torch.bool)),
            torch.from_numpy(question.weights)[None],
        )
        return _judged(starts[0], ends[0], float(torch.sigmoid(answers[0])), passage.cuts)


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
