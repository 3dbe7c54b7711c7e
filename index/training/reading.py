"""Make what reads a passage beside a question: `python -m index.training.reading --data DIR --encoder DIR`.

A larger model (`teacher.py`) learns first where the answer stands, and which of two passages holds it; then a
few of its layers learn both from the questions and from what it says of them. README.md beside this file has
the figures.
"""

import argparse
import itertools
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from index.bert import Layer
from index.packed import PackedBert
from index.pieces import STEPS, WIDTH
from index.reading import KEPT, Reading
from index.training.loop import train
from index.training.pairs import Drawn, Draws, borders
from index.training.scores import dev, scores
from index.training.states import Corpus, corpus
from index.training.teacher import Teacher, begun, say_nothing_yet

TAKEN = (2, 3, 5)  # the teacher's layers that its pupil starts from
TEACHER_RATE, RATE, NEW_RATE = 2e-4, 3e-4, 1e-3  # of layers that are taken over, and of what is new
TEACHER_MINUTES, MINUTES = 84, 65
TAUGHT = 0.6  # share of the loss that is the teacher's
DROPOUT = 0.1
NOISE = 1 << 23  # numbers drawn once, of which dropout takes a stretch: drawing anew takes half the time
AVERAGED = 0.998  # of the mean of the weights, kept at each step
CROPPED = 220  # pieces of a text that are read in training
LARGEST = 0.9999  # share of the numbers of `told` that the index keeps without cutting them


class Noise(torch.nn.Module):
    """Dropout from numbers that were drawn once."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self._kept = (torch.rand(NOISE, device=device) > DROPOUT).to(torch.bfloat16) / (1 - DROPOUT)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The same shape."""
        if not self.training:
            return x
        first = random.randrange(NOISE - x.numel())
        return x * self._kept[first : first + x.numel()].view(x.shape)


def loss_of(model: Reading, kept: Corpus, batch: Drawn, teacher: Teacher | None = None) -> torch.Tensor:
    """Cross-entropy of borders, of each passage's answering or not, and of the right passage of each two;
    with a teacher also of its borders, as far as it is sure that there is an answer, and of that.
    """
    pairs = [p for each, _ in batch for p in each]
    starts, ends, answers = scores(model, kept, pairs, CROPPED)
    firsts = [0, *itertools.accumulate(len(each) for each, _ in batch)]
    right = torch.zeros(len(answers), device=answers.device)
    places, lists = [], []
    for first, (each, asked) in zip(firsts, batch, strict=False):
        if asked.passage >= 0:
            right[first] = 1
            lists.append(answers[first : first + len(each)].log_softmax(0)[0])
            if place := borders(kept, asked, CROPPED):
                places.append((first, *place))
    rows, start, end = torch.tensor(places, device=answers.device).T
    spans = functional.cross_entropy(starts[rows], start) + functional.cross_entropy(ends[rows], end)
    passage = functional.binary_cross_entropy_with_logits(answers, right)
    loss = spans / 2 + passage - torch.stack(lists).mean() / 2
    if teacher is None:
        return loss
    with torch.no_grad():
        *their, answering = scores(teacher, kept, pairs, CROPPED)
        answering = torch.sigmoid(answering)
        sure = answering * right / (answering * right).sum()
    apart = [
        -(say.softmax(-1) * mine.log_softmax(-1)).sum(-1)
        for mine, say in zip((starts, ends), their, strict=True)
    ]
    told = functional.binary_cross_entropy_with_logits(answers, answering)
    return (1 - TAUGHT) * loss + TAUGHT * (((apart[0] + apart[1]) / 2 * sure).sum() + told)


@torch.no_grad()
def pupil(teacher: Teacher, encoder: PackedBert, kept: Corpus) -> Reading:
    """A model with some of the teacher's layers, over the principal directions of a passage's states, turned
    at random so that all are of a size.
    """
    model = Reading(encoder.bert.config)
    for mine, number in zip(model.layers, TAKEN, strict=True):
        mine.load_state_dict(teacher.layers[number].state_dict())
    model.first.copy_(teacher.first)
    model.borders.load_state_dict(teacher.borders.state_dict())
    model.answers.load_state_dict(teacher.answers.state_dict())
    sample = torch.from_numpy(np.asarray(kept.told.states[::101], dtype=np.float32))
    mean = sample.mean(0)
    directions = torch.linalg.eigh(torch.cov((sample - mean).T))[1][:, -KEPT:]
    down = torch.linalg.qr(torch.randn(KEPT, KEPT))[0] @ directions.T
    told, text = (
        {"weight": down, "bias": -down @ mean},
        {"weight": functional.pad(down.T, (WIDTH, 0)), "bias": mean},
    )
    model.told.load_state_dict(told)
    model.text.load_state_dict(text)
    say_nothing_yet(model)
    return model


@torch.no_grad()
def followed(mean: list[torch.Tensor], now: list[torch.Tensor], count: torch.Tensor | int) -> None:
    """Move a mean of weights towards those of now, faster at first."""
    steps = int(count)
    torch._foreach_lerp_(mean, now, 1 - min(AVERAGED, (1 + steps) / (20 + steps)))


@torch.no_grad()
def save(model: Reading, kept: Corpus, out: Path) -> None:
    """Write the weights beside the encoder's, with the step in which the index keeps `told`."""
    sample = torch.from_numpy(np.asarray(kept.told.states[::37], dtype=np.float32)).to(model.unit.device)
    model.unit.fill_(float(np.quantile(model.told(sample).abs().cpu().numpy(), LARGEST)) / STEPS)
    PackedBert.save_reading(model, out)


def teach(
    model: Reading, kept: Corpus, minutes: float, rate: float, seed: int,
    teacher: Teacher | None, save_to: Callable[[Reading], None],
) -> None:  # fmt: skip
    """Train a model for some minutes, with a teacher or without; it ends with the mean of its weights."""
    noise = Noise(model.unit.device)
    for module in model.modules():
        if isinstance(module, Reading | Layer):
            module.drop = noise
    draws = Draws(kept, seed)
    new = {"alike", "cosines", "sharpness", "first", "side", *(() if teacher else ("borders", "answers"))}
    named = list(model.named_parameters())
    taken = [p for name, p in named if name.split(".")[0] not in new]
    groups = [
        {"params": [p for p in taken if p.ndim > 1], "lr": rate, "weight_decay": 0.02},
        {"params": [p for p in taken if p.ndim < 2], "lr": rate},
        {"params": [p for name, p in named if name.split(".")[0] in new], "lr": NEW_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.0, foreach=True)
    mean = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=followed, use_buffers=False)

    def loss(step: int) -> torch.Tensor:
        if step > 1:
            mean.update_parameters(model)
        return loss_of(model, kept, draws.batch(), teacher)

    def checkpoint() -> dict[str, float]:
        save_to(mean.module)
        return dev(mean.module, kept)

    train(optimizer, minutes, loss, checkpoint)
    model.load_state_dict(mean.module.state_dict())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True, help="its folder; the weights go there too")
    parser.add_argument(
        "--kept", type=Path, required=True, help="folder for encoded texts and the teacher, 9 GB"
    )
    parser.add_argument("--teacher-minutes", type=float, default=TEACHER_MINUTES)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resume", action="store_true", help="go on from the weights that are there")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    encoder = PackedBert.load(str(args.encoder)).to(device)
    kept = corpus(args.data, encoder, args.kept, args.seed)
    teacher, whole, part = begun(encoder).to(device), args.kept / "teacher.pt", args.kept / "teacher.part"
    if whole.is_file() or (args.resume and part.is_file()):
        teacher.load_state_dict(torch.load(whole if whole.is_file() else part))
    if not whole.is_file():
        minutes, keep = args.teacher_minutes, lambda now: torch.save(now.state_dict(), part)
        teach(teacher, kept, minutes, TEACHER_RATE, args.seed, None, keep)
        part.rename(whole)
    model = pupil(teacher, encoder, kept)
    if args.resume and encoder.reading:
        model.load_state_dict(encoder.reading.state_dict())
    keep = partial(save, kept=kept, out=args.encoder)
    teach(model.to(device), kept, args.minutes, RATE, args.seed, teacher.eval(), keep)


if __name__ == "__main__":
    main()
