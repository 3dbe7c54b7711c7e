"""What `index.reading` is while it learns, with the encoder that it learns to read better."""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from index.bert import Layer, layer_weights
from index.packed import DOWN, UP, PackedBert, mean
from index.pieces import WIDTH
from index.reading import LAYER, Reading, Side
from index.training.teacher import NEVER, Layers, Scores, weights_of
from index.training.texts import Padded

RANK = 48  # of what is added to a matrix
MATRICES = ("attend", "mix", "widen", "narrow")
NAMES = {  # of the matrices in transformers, whose rows follow each other in ours
    "attend": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "mix": ("attention.output.dense",),
    "widen": ("intermediate.dense",),
    "narrow": ("output.dense",),
}


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the encoder makes of texts."""

    states: torch.Tensor  # (texts × pieces × hidden), of LAYER
    near: torch.Tensor  # (texts × pieces × WIDTH) unit vectors of late interaction
    whole: torch.Tensor  # (texts × hidden) unit vectors


class Adapted(Layers):
    """The encoder, frozen, with a product of two narrow matrices added to each matrix of its layers."""

    def __init__(self, encoder: PackedBert) -> None:
        assert encoder.late
        super().__init__(encoder.bert)
        self.requires_grad_(False)
        self.project = torch.nn.Linear(encoder.bert.config.hidden_size, WIDTH, bias=False).requires_grad_(
            False
        )
        self.project.load_state_dict(encoder.late.project.state_dict())
        self.up, self.down = torch.nn.ParameterDict(), torch.nn.ParameterDict()
        for number, layer in enumerate(self.layers):
            for name in MATRICES:
                rows, columns = getattr(layer, name).weight.shape
                self.up[f"{number} {name}"] = torch.nn.Parameter(torch.zeros(rows, RANK))
                narrow = (torch.rand(RANK, columns) * 2 - 1) * 2 / math.sqrt(columns)
                self.down[f"{number} {name}"] = torch.nn.Parameter(narrow)

    def forward(self, texts: Padded, *, added: bool = True) -> Encoded:
        """As it is, or without what is added."""
        x = self.embedded(texts.ids, torch.arange(texts.ids.shape[1], device=texts.ids.device), 0.0)
        mask, states = texts.mask[:, None, None], x
        for number, layer in enumerate(self.layers, 1):
            x = self._through(layer, number - 1, x, mask) if added else layer(x, mask)
            if number == LAYER:
                states = x
        near = functional.normalize(self.project(x).float(), dim=-1)
        return Encoded(states, near, mean(x, texts.mask))

    def _through(self, layer: Layer, number: int, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        keys = {name: f"{number} {name}" for name in MATRICES}
        weights = {
            f"{n}.weight": getattr(layer, n).weight + self.up[k] @ self.down[k] for n, k in keys.items()
        }
        found: torch.Tensor = torch.func.functional_call(layer, weights, (x, mask))
        return found

    def narrow(self) -> dict[str, torch.Tensor]:
        """What is added, by the names that `index.packed` gives it."""
        found = {}
        for number in range(len(self.layers)):
            for name in MATRICES:
                up, down = self.up[f"{number} {name}"], self.down[f"{number} {name}"]
                for theirs, rows in zip(NAMES[name], up.chunk(len(NAMES[name])), strict=True):
                    matrix = f"encoder.layer.{number}.{theirs}.weight"
                    found |= {matrix + UP: rows.contiguous(), matrix + DOWN: down}
        return found


class Pupil(torch.nn.Module):
    """Questions and passages → Scores, and what the encoder made of each."""

    rarity: torch.Tensor

    def __init__(self, encoder: PackedBert) -> None:
        super().__init__()
        assert encoder.late
        self.encoder, self.reading = Adapted(encoder), encoder.reading or begun(encoder)
        self.register_buffer("rarity", encoder.late.rarity)

    def forward(self, asked: Padded, told: Padded, *others: Padded) -> tuple[Scores, list[Encoded]]:
        """Each question beside as many passages, one after the other; other texts are encoded alone."""
        questions, passages = self.encoder(asked), self.encoder(told)
        each = torch.arange(len(asked.ids), device=asked.ids.device)
        each = each.repeat_interleave(len(told.ids) // len(asked.ids))
        kind = questions.states.dtype
        starts, ends, answers = self.reading(
            Side(questions.states[each], questions.near[each].to(kind), asked.own[each]),
            Side(self.reading.told(passages.states), passages.near.to(kind), told.own),
            weights_of(self.rarity, asked)[each].to(kind),
        )
        away = ~told.body
        scores = starts.masked_fill(away, NEVER), ends.masked_fill(away, NEVER), answers
        return scores, [questions, passages, *(self.encoder(texts) for texts in others)]


@torch.no_grad()
def begun(encoder: PackedBert) -> Reading:
    """A reading model with the encoder's own layers, half of a passage's state, and new heads."""
    model, weights = Reading(encoder.bert.config), encoder.bert.state_dict()
    for number, layer in enumerate(model.layers, LAYER):
        layer.load_state_dict(layer_weights(weights.__getitem__, number))
    torch.nn.init.orthogonal_(model.told.weight)
    torch.nn.init.zeros_(model.told.bias)
    model.text.weight.copy_(functional.pad(model.told.weight.T, (WIDTH, 0)))
    torch.nn.init.zeros_(model.text.bias)
    for new in (model.alike, model.cosines):  # what compares the texts begins at nothing
        torch.nn.init.zeros_(new.weight)
        torch.nn.init.zeros_(new.bias)
    return model
