"""The larger model that teaches `index.reading`: the encoder's upper half over what its lower half made.

It takes twice the time a passage, and an index would have to keep all of a state. README.md beside this file
has its figures.
"""

from typing import Any

import torch

from index.bert import layer_weights
from index.packed import PackedBert
from index.pieces import WIDTH
from index.reading import Reading
from index.training.states import TEACHER_LAYER


class Whole(torch.nn.Module):
    """A passage's states as they are, late interaction's vectors left out."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(… × WIDTH + hidden) → (… × hidden)."""
        return x[..., WIDTH:]


class Teacher(Reading):
    """The same heads, over all layers above TEACHER_LAYER."""

    def __init__(self, config: Any) -> None:
        super().__init__(config, config.num_hidden_layers - TEACHER_LAYER)
        self.told, self.text = torch.nn.Identity(), Whole()


def begun(encoder: PackedBert) -> Teacher:
    """One with the encoder's own layers, to be trained."""
    model = Teacher(encoder.bert.config)
    for number, layer in enumerate(model.layers, TEACHER_LAYER):
        layer.load_state_dict(layer_weights(encoder.bert.state_dict().__getitem__, number))
    say_nothing_yet(model)
    return model


def say_nothing_yet(model: Reading) -> None:
    """Let what compares the two texts begin at nothing, so that layers taken over see what they know."""
    for new in (model.alike, model.cosines):
        torch.nn.init.zeros_(new.weight)
        torch.nn.init.zeros_(new.bias)
