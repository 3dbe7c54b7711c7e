"""A BERT (Devlin et al., 2018, https://arxiv.org/abs/1810.04805) and the layer that it is made of.

Knows nothing about files, texts or what the model is for.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from index.linear import lay_out

Weights = Callable[[str], torch.Tensor]


class Layer(torch.nn.Module):
    """One layer of a model of this configuration. `drop` is for training to put something in."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self._heads, size, inner = config.num_attention_heads, config.hidden_size, config.intermediate_size
        norm = config.layer_norm_eps
        self.attend, self.mix = torch.nn.Linear(size, 3 * size), torch.nn.Linear(size, size)
        self.between = torch.nn.LayerNorm(size, norm)
        self.widen, self.narrow = torch.nn.Linear(size, inner), torch.nn.Linear(inner, size)
        self.after = torch.nn.LayerNorm(size, norm)
        self.drop: torch.nn.Module = torch.nn.Identity()

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """(texts × pieces × size) → the same; `mask` is False for pieces that nothing may look at."""
        texts, pieces, size = x.shape
        wide = self.attend(x).view(texts, pieces, 3, self._heads, size // self._heads)
        query, key, value = wide.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        x = self.between(x + self.drop(self.mix(seen.transpose(1, 2).reshape(texts, pieces, size))))
        found: torch.Tensor = self.after(x + self.drop(self.narrow(functional.gelu(self.widen(x)))))
        return found


def layer_weights(of: Weights, number: int) -> dict[str, torch.Tensor]:
    """What `Layer` calls the weights of a layer, by its number in the names that transformers gives them."""
    found = {}
    for part in ("weight", "bias"):
        attention = f"encoder.layer.{number}.attention.self"
        found[f"attend.{part}"] = torch.cat(
            [of(f"{attention}.{n}.{part}") for n in ("query", "key", "value")]
        )
        for mine, name in (
            ("mix", "attention.output.dense"),
            ("between", "attention.output.LayerNorm"),
            ("widen", "intermediate.dense"),
            ("narrow", "output.dense"),
            ("after", "output.LayerNorm"),
        ):
            found[f"{mine}.{part}"] = of(f"encoder.layer.{number}.{name}.{part}")
    return found


class Bert:
    """Pieces → their hidden states, for inference alone."""

    def __init__(self, words: torch.nn.Module, of: Weights, config: Any) -> None:
        """Of the module that looks up pieces, and of the other weights by name."""
        self._words, self.config = words, config
        self._places = (
            of("embeddings.position_embeddings.weight") + of("embeddings.token_type_embeddings.weight")[0]
        )
        self._norm = torch.nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self._norm.load_state_dict({part: of(f"embeddings.LayerNorm.{part}") for part in ("weight", "bias")})
        self._layers = [self._layer(layer_weights(of, n)) for n in range(config.num_hidden_layers)]

    def _layer(self, weights: dict[str, torch.Tensor]) -> Layer:
        with torch.device("meta"):
            layer = Layer(self.config)
        layer.load_state_dict(weights, assign=True)
        lay_out(layer, weights.get, fine=True)
        return layer

    def __call__(self, ids: torch.Tensor, mask: torch.Tensor) -> list[torch.Tensor]:
        """(texts × pieces) → the states before the first layer and after each, (texts × pieces × hidden)."""
        states = [self._norm(self._words(ids) + self._places[: ids.shape[1]])]
        looked_at = None if bool(mask.all()) else mask[:, None, None].bool()
        for layer in self._layers:
            states.append(layer(states[-1], looked_at))
        return states
