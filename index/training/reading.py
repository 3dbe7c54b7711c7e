"""Make what reads a passage beside a question: `python -m index.training.reading --data DIR --encoder DIR`.

Larger models (`teacher.py`) learn first where the answer stands, and which of several passages holds it;
then a small one (`pupil.py`) learns both from the questions and from what they say of them, and with it an
adapter of the encoder, whose vectors learn to find passages and stay near what they were (`losses.py`).
README.md beside this file has figures.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from index.bert import Layer
from index.encoder import PROMPTS
from index.packed import ADAPTER, LONGEST, PackedBert, packed
from index.pieces import STEPS
from index.reading import Reading
from index.training.loop import train
from index.training.losses import kept_loss, retrieval_loss, right_loss, taught_loss
from index.training.pairs import WRONG, Drawn, Draws
from index.training.pupil import Adapted, Pupil
from index.training.scores import dev
from index.training.teacher import APART, Teacher
from index.training.texts import Corpus, Padded, corpus

TEACHER_RATE, NEW_RATE = 2e-4, 1e-3  # of the encoder's last layer, and of what is new
FALLING = 0.92  # from a layer's rate to that of the one below
RATE, ADAPTER_RATE = 1.5e-4, 5e-4
TEACHERS = 2  # the mean of what they say teaches
TEACHER_MINUTES, MINUTES = 2.8, 7.3  # on an H200; a teacher 2,600 and the pupil 3,000 batches
TAUGHT = 0.75  # share of the loss that is the teachers'
DROPOUT = 0.1
AVERAGED = 0.998  # of the mean of the weights, kept at each step
CROPPED = 224  # pieces of a passage that are read in training
LARGEST = 0.9999  # share of the numbers of `told` that the index keeps without cutting them
SAMPLE = 300  # passages, to see how large those are


def texts_of(model: torch.nn.Module, kept: Corpus, drawn: Drawn) -> tuple[Padded, Padded]:
    """The pieces of the questions drawn, and of their passages."""
    device = next(model.parameters()).device
    return kept.questions.padded(drawn.rows, APART, device), kept.told.padded(drawn.passages, CROPPED, device)


def for_each(asked: Padded) -> Padded:
    """Questions, each as often as it has passages."""
    values = (asked.ids, asked.mask, asked.own, asked.body)
    return Padded(*(each.repeat_interleave(1 + WRONG, 0) for each in values))


def sentences_of(encoder: PackedBert, drawn: Drawn) -> Padded:
    """The pieces of the sentences drawn."""
    batch = encoder.preprocess(drawn.sentences, prompt=PROMPTS["document"])
    ids, mask = (batch[name].to(encoder.bert.device) for name in ("input_ids", "attention_mask"))
    return Padded(ids, mask.bool(), mask.bool(), mask.bool())


def in_half(model: torch.nn.Module, *texts: Padded) -> Any:
    """What a model says in bfloat16 over its weights in single precision."""
    half = {name: p.bfloat16() for name, p in model.named_parameters()}
    return torch.func.functional_call(model, half, texts)


def dropping(model: torch.nn.Module) -> None:
    """Let numbers be dropped in training, but inside the encoder that a pupil adapts."""
    frozen = {m for a in model.modules() if isinstance(a, Adapted) for m in a.modules()}
    for module in model.modules():
        if isinstance(module, Reading | Layer | Teacher) and module not in frozen:
            module.drop = torch.nn.Dropout(DROPOUT)


@torch.no_grad()
def followed(mean: list[torch.Tensor], now: list[torch.Tensor], count: torch.Tensor | int) -> None:
    """Move a mean of weights towards those of now, faster at first."""
    steps = int(count)
    torch._foreach_lerp_(mean, now, 1 - min(AVERAGED, (1 + steps) / (20 + steps)))


def teach(
    model: torch.nn.Module, groups: list[dict[str, object]], minutes: float,
    loss_of: Callable[[], torch.Tensor], figures: Callable[[torch.nn.Module], dict[str, float]],
) -> None:  # fmt: skip
    """Train a model for some minutes; it ends with the mean of its weights."""
    dropping(model)
    fused = torch.cuda.is_available()
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.0, fused=fused)
    averaged = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=followed, use_buffers=False)

    def loss(step: int) -> torch.Tensor:
        if step > 1:
            averaged.update_parameters(model)
        return loss_of()

    def checkpoint() -> dict[str, float]:
        found = figures(averaged.module.eval())
        averaged.module.train()
        return found

    train(optimizer, minutes, loss, checkpoint)
    model.load_state_dict(averaged.module.state_dict())


def groups_of(model: torch.nn.Module, rates: dict[str, float], rate: float) -> list[dict[str, object]]:
    """The weights of a model that are trained, with their rates, some by how their names begin."""
    found: dict[tuple[float, float], list[torch.Tensor]] = {}
    for name, p in model.named_parameters():
        if p.requires_grad:
            own = next((r for start, r in rates.items() if name.startswith(start)), rate)
            decay = 0.02 if own <= TEACHER_RATE and p.ndim > 1 else 0.0  # not what begins at nothing
            found.setdefault((own, decay), []).append(p)
    return [{"params": ps, "lr": lr, "weight_decay": decay} for (lr, decay), ps in found.items()]


def teacher_of(
    kept: Corpus, encoder: PackedBert, draws: Draws, minutes: float, file: Path, *, resume: bool
) -> Teacher:
    """The teacher in a file, trained first where it is not there."""
    model, part = Teacher(encoder).to(encoder.bert.device), file.with_suffix(".part")
    if not file.is_file():
        if resume and part.is_file():
            model.load_state_dict(torch.load(part, map_location=encoder.bert.device))

        def loss() -> torch.Tensor:
            drawn = draws.batch()
            asked, told = texts_of(model, kept, drawn)
            return right_loss(in_half(model, for_each(asked), told), drawn)

        def figures(now: torch.nn.Module) -> dict[str, float]:
            torch.save(now.state_dict(), part)
            return dev(lambda asked, told: in_half(now, asked, told), kept, encoder)

        rates = {"side": NEW_RATE, "borders": NEW_RATE, "answers": NEW_RATE}
        top = len(model.layers) - 1
        rates |= {f"layers.{n}.": TEACHER_RATE * FALLING ** (top - n) for n in range(top + 1)}
        teach(model, groups_of(model, rates, TEACHER_RATE), minutes, loss, figures)
        part.replace(file)
    model.load_state_dict(torch.load(file, map_location=encoder.bert.device))
    return model.eval()


@torch.no_grad()
def save(model: Pupil, kept: Corpus, out: Path) -> None:
    """Write the weights beside the encoder's, with the step in which the index keeps `told`."""
    reading, device = model.reading, model.rarity.device
    rows = np.linspace(0, len(kept.passages) - 1, SAMPLE).astype(int).tolist()
    texts = kept.told.padded(rows, LONGEST, device)
    told = reading.told(model.encoder(texts).states)[texts.own].abs()
    reading.unit.fill_(float(np.quantile(told.cpu().numpy(), LARGEST)) / STEPS)
    PackedBert.save_reading(reading, out)
    narrow = {name: values.cpu() for name, values in model.encoder.narrow().items()}
    save_file(packed(narrow), out / ADAPTER)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True, help="its folder; the weights go there too")
    parser.add_argument("--kept", type=Path, required=True, help="folder for the texts and the teacher")
    parser.add_argument("--teacher-minutes", type=float, default=TEACHER_MINUTES, help="of each")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resume", action="store_true", help="go on from what the last run kept")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    args.kept.mkdir(parents=True, exist_ok=True)
    (args.encoder / ADAPTER).unlink(missing_ok=True)  # what is added is added to the encoder alone
    so_far = args.kept / "pupil.pt"
    encoder = PackedBert.load(args.encoder).to("cuda" if torch.cuda.is_available() else "cpu")
    kept = corpus(args.data, encoder, args.kept / "texts.pickle", args.seed)
    draws = Draws(kept, encoder, args.seed, CROPPED)
    minutes, teachers = args.teacher_minutes, []
    for number in range(TEACHERS):
        file = args.kept / f"teacher-{number}.pt"
        teachers.append(teacher_of(kept, encoder, draws, minutes, file, resume=args.resume))
    model = Pupil(encoder).to(encoder.bert.device)
    if args.resume and so_far.is_file():
        model.load_state_dict(torch.load(so_far, map_location=encoder.bert.device))

    def loss() -> torch.Tensor:
        drawn = draws.batch()
        texts = texts_of(model, kept, drawn)
        said, now = in_half(model, *texts, sentences_of(encoder, drawn))
        with torch.no_grad():
            beside = for_each(texts[0]), texts[1]
            each = zip(*(in_half(teacher, *beside) for teacher in teachers), strict=True)
            starts, ends, answers = (sum(x) / len(teachers) for x in each)
            before = [model.encoder(text, added=False) for text in texts]
        return (
            (1 - TAUGHT) * right_loss(said, drawn)
            + TAUGHT * taught_loss(said, (starts, ends, answers), drawn)
            + kept_loss(now[:2], before, texts)
            + retrieval_loss(now, texts, model.rarity, answers, drawn)
        )

    def figures(now: torch.nn.Module) -> dict[str, float]:
        torch.save(now.state_dict(), so_far)
        save(now, kept, args.encoder)
        return dev(lambda asked, told: in_half(now, asked, told)[0], kept, encoder)

    rates = {"encoder.": ADAPTER_RATE}
    teach(model, groups_of(model, rates, RATE), args.minutes, loss, figures)


if __name__ == "__main__":
    main()
