"""The loop that trains a model for some minutes: rates by the clock, clipped gradients, checkpoints."""

import itertools
import json
import math
import time
from collections.abc import Callable

import torch

BETWEEN = 800  # seconds from one checkpoint to the next


class Clock:
    """Learning-rate schedule by wall-clock: 3% warm-up, then a cosine down to 5%."""

    def __init__(self, optimizer: torch.optim.Optimizer, minutes: float) -> None:
        self.optimizer, self.seconds, self.start = optimizer, minutes * 60, time.time()
        self.peaks = [group["lr"] for group in optimizer.param_groups]

    def tick(self) -> float:
        """Set the rates for now and return the share of the time that is spent."""
        done = min((time.time() - self.start) / self.seconds, 1.0)
        factor = min(done / 0.03, 1.0) * (0.05 + 0.95 * (1 + math.cos(math.pi * done)) / 2)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * max(factor, 0.01)
        return done


def train(
    optimizer: torch.optim.Optimizer,
    minutes: float,
    loss_of: Callable[[int], torch.Tensor],
    checkpoint: Callable[[], dict[str, float]],
) -> None:
    """Follow the loss of each step, counted from 1; save and print figures with `checkpoint` now and then."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    clock, mean, told = Clock(optimizer, minutes), 0.0, time.time()
    for step in itertools.count(1):
        if clock.tick() >= 1:
            break
        loss = loss_of(step)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        mean = loss.item() if step == 1 else mean + 0.03 * (loss.item() - mean)
        if step % 50 == 0:
            print(step, round(mean, 4), round((time.time() - clock.start) / 60, 1), flush=True)
        if time.time() - told > BETWEEN:
            told = time.time()
            print(step, json.dumps(checkpoint()), flush=True)
    print("done", json.dumps(checkpoint()), flush=True)
