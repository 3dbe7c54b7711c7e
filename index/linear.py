"""Linear layers in whole numbers, for inference alone: a quarter of the memory, half the time or less.

A row of the matrix takes 127 steps to either side of nought, a row of the input STEPS between its own least
and greatest number, and each of these STEPS finer ones, where a product is to be as good as one in single
precision. Two products of such steps fit the 16 bits in which processors without VNNI add them up, so that
the sums are exact, and the same, on every x86-64 machine with AVX2. Knows nothing about models.
"""

from collections.abc import Callable
from typing import Any

import torch

STEPS, WEIGHTS = 126, 127
# oneDNN keeps code for each count of rows that it meets: multiples of FEW up to MANY, of MANY up to MOST.
FEW, MANY, MOST = 16, 64, 512
TINY = 1e-12
_ops: Any = torch.ops.onednn
_product: Any = getattr(_ops, "qlinear_pointwise", None)  # each look for it takes a while


class Laid(torch.nn.Module):
    """A linear layer that cannot be trained, saved or moved."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, fine: bool) -> None:
        super().__init__()
        # not buffers: nothing but the operator below can read the matrix
        self._scale = (weight.abs().amax(1) / WEIGHTS).clamp(min=TINY)
        steps = (weight / self._scale[:, None]).round().to(torch.int8)
        self._matrix = _ops.qlinear_prepack(steps, None)
        self._zeros = torch.zeros(len(weight), dtype=torch.long)
        self._sums = steps.sum(1) * self._scale
        self._bias = torch.zeros(len(weight)) if bias is None else bias
        self._inputs, self._digits = weight.shape[1], 2 if fine else 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(… × inputs) → (… × outputs)."""
        rows = x.flatten(0, -2)
        few = len(rows) <= MOST
        whole = self._of(rows) if few else torch.cat([self._of(part) for part in torch.split(rows, MOST)])
        return whole.view(*x.shape[:-1], len(self._bias))

    def _of(self, rows: torch.Tensor) -> torch.Tensor:
        count = len(rows)
        least = rows.amin(-1, keepdim=True).clamp_(max=0)
        step = ((rows.amax(-1, keepdim=True).clamp_(min=0) - least) / STEPS).clamp_(min=TINY)
        below = (least / step).round_()  # whole steps, so that nought is one
        taken = (rows * step.reciprocal()).add_(0.5 - below)
        size = max(1, count * self._digits)
        steps = torch.zeros(size + -size % (FEW if size <= MANY else MANY), self._inputs, dtype=torch.uint8)
        steps[:count] = taken  # cut off: with a half more, that rounds
        if self._digits == 2:
            steps[count : 2 * count] = taken.sub_(steps[:count]).mul_(STEPS).add_(0.5)
            below -= 0.5
        found: torch.Tensor = _product(
            steps, 1.0, 0, self._matrix, self._scale, self._zeros, None, 1.0, 0, torch.float32, "none", [], ""
        )
        whole = found[:count]
        if self._digits == 2:
            whole = whole.add_(found[count : 2 * count], alpha=1 / STEPS)
        return whole.mul_(step).add_(self._bias).add_(below * step * self._sums)


def laid(weight: torch.Tensor, bias: torch.Tensor | None, *, fine: bool) -> torch.nn.Module:
    """A linear layer of a matrix (outputs × inputs), `fine` where its products must be as good as in single
    precision; a plain one where this torch has no such operator.
    """
    usable = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if usable and _product and hasattr(_ops, "qlinear_prepack"):
        return Laid(weight, bias, fine)
    plain = torch.nn.Linear(weight.shape[1], len(weight), bias is not None, device="meta")
    values = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
    plain.load_state_dict(values, assign=True)
    return plain


def lay_out(module: torch.nn.Module, of: Callable[[str], torch.Tensor | None], *, fine: bool) -> None:
    """Replace every linear layer inside a module; `of` gives its matrix and its bias by their names.

    One after the other, so that no more than one matrix is there twice.
    """
    for name, child in list(module.named_modules()):
        if isinstance(child, torch.nn.Linear):
            weight = of(f"{name}.weight")
            assert weight is not None
            module.set_submodule(name, laid(weight, of(f"{name}.bias"), fine=fine))
