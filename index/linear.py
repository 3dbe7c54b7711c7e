"""Linear layers whose matrices oneDNN has laid out beforehand, for inference alone.

Single precision as before, but where torch asks MKL, which is slow on processors that are not Intel's, this
takes half the time. Knows nothing about models.
"""

from collections.abc import Callable

import torch
from torch.nn import functional

# Rows: in multiples of FEW up to MANY, of STEP up to MOST, then in parts.
FEW, MANY, STEP, MOST = 16, 64, 64, 512


class Laid(torch.nn.Module):
    """A linear layer that cannot be trained, saved or moved."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        # not buffers: nothing but the operator below can read them
        self._matrix = torch.ops.mkldnn._reorder_linear_weight(weight, None)
        self._outputs, self._bias = len(weight), bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(… × inputs) → (… × outputs)."""
        parts = [self._of(rows) for rows in torch.split(x.flatten(0, -2), MOST)]
        whole = parts[0] if len(parts) == 1 else torch.cat(parts)
        return whole.view(*x.shape[:-1], self._outputs)

    def _of(self, rows: torch.Tensor) -> torch.Tensor:
        """oneDNN keeps half a megabyte of code for each count of rows that it meets: few may meet it."""
        more = -len(rows) % (FEW if len(rows) <= MANY else STEP) if len(rows) else FEW
        padded = functional.pad(rows, (0, 0, 0, more)) if more else rows
        found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            padded, self._matrix, self._bias, "none", [], ""
        )
        return found[: len(rows)]


def laid(weight: torch.Tensor, bias: torch.Tensor | None) -> torch.nn.Module:
    """A linear layer of a matrix (outputs × inputs); a plain one where this torch has no such operator."""
    usable = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    wanted = ("_reorder_linear_weight", "_linear_pointwise")
    if usable and all(hasattr(torch.ops.mkldnn, name) for name in wanted):
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
