"""The larger model that teaches `index.reading`: all the encoder's layers over question and passage at once.

It takes six times the time a passage. README.md beside this file has its figures.
"""

import torch
from torch.nn import functional
from transformers import BertModel

from index.bert import Layer, layer_weights
from index.packed import PackedBert
from index.training.texts import Padded

APART = 40  # places from where a question begins to where its passage does: no question is longer
NEVER = -1e4
MISSING = 0.06  # share of the pieces that a teacher does not see in training
# Log-odds but for a constant that a piece starts and that it ends the answer, (pairs × pieces) each, and
# log-odds that the passage answers, (pairs).
Scores = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class Layers(torch.nn.Module):
    """An encoder's layers, to be trained or added to, over its embeddings, which stay as they are."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        weights, config = bert.state_dict(), bert.config
        self.layers = torch.nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        for number, layer in enumerate(self.layers):
            layer.load_state_dict(layer_weights(weights.__getitem__, number))
        self.words = torch.nn.Embedding.from_pretrained(weights["embeddings.word_embeddings.weight"])
        places = weights["embeddings.position_embeddings.weight"]
        self.places = torch.nn.Embedding.from_pretrained(
            places + weights["embeddings.token_type_embeddings.weight"][0]
        )
        self.norm = torch.nn.LayerNorm(config.hidden_size, config.layer_norm_eps).requires_grad_(False)
        self.norm.load_state_dict({p: weights[f"embeddings.LayerNorm.{p}"] for p in ("weight", "bias")})

    def embedded(
        self, ids: torch.Tensor, places: torch.Tensor, more: torch.Tensor | float, missing: float = 0.0
    ) -> torch.Tensor:
        """(texts × pieces) → (texts × pieces × hidden); some pieces, drawn by chance, are nothing."""
        words = self.words(ids)
        if missing:
            words = words * (torch.rand(ids.shape, device=ids.device) >= missing)[..., None]
        found: torch.Tensor = self.norm(words + self.places(places) + more)
        return found


class Teacher(Layers):
    """A question and a passage → Scores."""

    def __init__(self, encoder: PackedBert) -> None:
        super().__init__(encoder.bert)
        size = encoder.bert.config.hidden_size
        self.side = torch.nn.Parameter(torch.zeros(2, size))
        self.borders = torch.nn.Linear(size, 2)
        self.answers = torch.nn.Sequential(
            torch.nn.Linear(2 * size, size), torch.nn.GELU(), torch.nn.Linear(size, 1)
        )
        self.drop: torch.nn.Module = torch.nn.Identity()

    def forward(self, asked: Padded, told: Padded) -> Scores:
        """Of as many questions as passages."""
        count, device = asked.ids.shape[1], asked.ids.device
        places = torch.cat([torch.arange(count), APART + torch.arange(told.ids.shape[1])]).to(device)
        side = torch.cat([self.side[:1].expand(count, -1), self.side[1:].expand(told.ids.shape[1], -1)])
        missing = MISSING if self.training else 0.0
        x = self.drop(self.embedded(torch.cat([asked.ids, told.ids], 1), places, side, missing))
        mask = torch.cat([asked.mask, told.mask], 1)[:, None, None]
        for layer in self.layers:
            x = layer(x, mask)
        text = x[:, count:]
        borders = self.borders(text).float().masked_fill(~told.body[..., None], NEVER)
        most = text.masked_fill(~told.own[..., None], NEVER).amax(1)
        answers = self.answers(torch.cat([x[:, 0], most], -1))[:, 0].float()
        return borders[..., 0], borders[..., 1], answers


def weights_of(rarity: torch.Tensor, asked: Padded) -> torch.Tensor:
    """Those of a question's pieces, which sum to 1."""
    found = rarity[asked.ids] * asked.own
    return functional.normalize(found, p=1.0, dim=1)
