"""A BERT (Devlin et al., 2018, https://arxiv.org/abs/1810.04805) for inference alone, over `index.linear`.

Knows nothing about files, texts or what the model is for.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from index.linear import laid

Weights = Callable[[str], torch.Tensor]


class Norm:
    """Layer normalisation by its name among the weights."""

    def __init__(self, of: Weights, name: str, least: float) -> None:
        self.weight, self.bias, self._least = of(f"{name}.weight"), of(f"{name}.bias"), least

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return functional.layer_norm(x, self.weight.shape, self.weight, self.bias, self._least)


class Layer:
    """One layer, by the number it has in the names of the weights."""

    def __init__(self, of: Weights, number: int, config: Any) -> None:
        self._heads, least = config.num_attention_heads, config.layer_norm_eps

        def linear(*names: str) -> torch.nn.Module:
            full = [f"encoder.layer.{number}.{name}" for name in names]
            weight, bias = (torch.cat([of(f"{n}.{part}") for n in full]) for part in ("weight", "bias"))
            return laid(weight, bias, fine=True)

        self._attend = linear("attention.self.query", "attention.self.key", "attention.self.value")
        self._mix = linear("attention.output.dense")
        self._widen, self._narrow = linear("intermediate.dense"), linear("output.dense")
        self._between = Norm(of, f"encoder.layer.{number}.attention.output.LayerNorm", least)
        self._after = Norm(of, f"encoder.layer.{number}.output.LayerNorm", least)

    def __call__(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """(texts × pieces × hidden) → the same; `mask` is False for pieces that nothing may look at."""
        texts, pieces, hidden = x.shape
        wide = self._attend(x).view(texts, pieces, 3, self._heads, hidden // self._heads)
        query, key, value = wide.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        x = self._between(x + self._mix(seen.transpose(1, 2).reshape(texts, pieces, hidden)))
        return self._after(x + self._narrow(functional.gelu(self._widen(x))))


class Bert:
    """Pieces → their hidden states."""

    def __init__(self, words: torch.nn.Module, of: Weights, config: Any) -> None:
        """Of the module that looks up pieces, and of the other weights by name."""
        self._words = words
        self._places = (
            of("embeddings.position_embeddings.weight") + of("embeddings.token_type_embeddings.weight")[0]
        )
        self._norm = Norm(of, "embeddings.LayerNorm", config.layer_norm_eps)
        self._layers = [Layer(of, number, config) for number in range(config.num_hidden_layers)]
        self.config = config

    def __call__(self, ids: torch.Tensor, mask: torch.Tensor) -> list[torch.Tensor]:
        """(texts × pieces) → the states before the first layer and after each, (texts × pieces × hidden)."""
        states = [self._norm(self._words(ids) + self._places[: ids.shape[1]])]
        looked_at = None if bool(mask.all()) else mask[:, None, None].bool()
        for layer in self._layers:
            states.append(layer(states[-1], looked_at))
        return states
