"""Linear layers whose matrices oneDNN has laid out beforehand, for inference alone.

Single precision as before, but where torch asks MKL, which is slow on processors that are not Intel's, this
takes half the time. Knows nothing about models.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

# Rows: in multiples of FEW up to MANY, of STEP up to MOST, then in parts.
FEW, MANY, STEP, MOST = 16, 64, 64, 512
_product: Any = getattr(torch.ops.mkldnn, "_linear_pointwise", None)  # each look for it takes a while


class Laid(torch.nn.Module):
    """A linear layer that cannot be trained, saved or moved."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        # not buffers: nothing but the operator below can read them
        self._matrix = torch.ops.mkldnn._reorder_linear_weight(weight, None)
        self._outputs, self._bias = len(weight), bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(… × inputs) → (… × outputs)."""
        rows = x.flatten(0, -2)
        few = len(rows) <= MOST
        whole = self._of(rows) if few else torch.cat([self._of(part) for part in torch.split(rows, MOST)])
        return whole.view(*x.shape[:-1], self._outputs)

    def _of(self, rows: torch.Tensor) -> torch.Tensor:
        """oneDNN keeps half a megabyte of code for each count of rows that it meets: few may meet it."""
        count = len(rows)
        more = -count % (FEW if count <= MANY else STEP) if count else FEW
        padded = functional.pad(rows, (0, 0, 0, more)) if more else rows
        found: torch.Tensor = _product(padded, self._matrix, self._bias, "none", [], "")
        return found[:count] if more else found


def laid(weight: torch.Tensor, bias: torch.Tensor | None) -> torch.nn.Module:
    """A linear layer of a matrix (outputs × inputs); a plain one where this torch has no such operator."""
    usable = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if usable and _product and hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        return Laid(weight, bias)
    plain = torch.nn.Linear(weight.shape[1], len(weight), bias is not None, device="meta")
    values = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
    plain.load_state_dict(values, assign=True)
    return plain


def lay_out(module: torch.nn.Module, of: Callable[[str], torch.Tensor | None]) -> None:
    """Replace every linear layer inside a module; `of` gives its matrix and its bias by their names.

    One after the other, so that no more than one matrix is there twice.
    """
    for name, child in list(module.named_modules()):
        if isinstance(child, torch.nn.Linear):
            weight = of(f"{name}.weight")
            assert weight is not None
            module.set_submodule(name, laid(weight, of(f"{name}.bias")))
