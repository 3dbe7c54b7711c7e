"""What late interaction adds to the encoder: a projection of its hidden states, and how rare each piece is.

They lie with its weights; `index.training.interaction` makes them. `index.pieces` compares what they give.
"""

import torch
from torch.nn import functional

from index.pieces import WIDTH


class LateInteraction(torch.nn.Module):
    """Hidden states of pieces → unit vectors of WIDTH, and for a question's pieces their weights."""

    rarity: torch.Tensor

    def __init__(self, hidden: int, pieces: int) -> None:
        super().__init__()
        self.project = torch.nn.Linear(hidden, WIDTH, bias=False)
        self.register_buffer("rarity", torch.zeros(pieces))  # inverse document frequency, in nats

    def forward(self, hidden: torch.Tensor, pieces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(texts × pieces × hidden) states and (texts × pieces) ids → unit vectors (texts × pieces × WIDTH),
        and the rarity of each piece, (texts × pieces).
        """
        return functional.normalize(self.project(hidden.float()), dim=-1), self.rarity[pieces]
