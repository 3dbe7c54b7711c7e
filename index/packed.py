"""A BERT whose matrices lie on disk as bytes, a quarter of their size in memory.

A sentence-transformers module: the bundled encoder loads through it. Each row of a matrix is kept as 8-bit
integers with one scale; trained in single precision, used in integers (`index.linear`). Knows nothing about
what the model is for.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers.base.modules import InputModule
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from index.bert import Bert
from index.encoder import READING
from index.interaction import LateInteraction
from index.linear import lay_out
from index.reading import LAYER, Reading

WEIGHTS = "packed.safetensors"
SCALE = ".scale"  # a matrix's scales have its name and this
ENDS = "ends"  # a feature: where each piece ends in its text, in characters; 0 for the marks around it
VECTORS, RARITY = "late_vectors", "late_rarity"  # features, see `index.interaction`
STATES = "states"  # a feature, see `index.reading`
LATE = "late.safetensors"  # what late interaction adds, in half precision
# For matrices of WEIGHTS, by their names and these, two narrow ones whose product is added to each (Hu et
# al., LoRA, 2021, https://arxiv.org/abs/2106.09685); see `index.training.reading`.
ADAPTER, UP, DOWN = "adapter.safetensors", ".up", ".down"
LONGEST = 320  # pieces of a text that are read


def packed(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Matrices as int8 rows with a half-precision scale a row; vectors stay float32."""
    small: dict[str, torch.Tensor] = {}
    for name, values in weights.items():
        if values.ndim != 2:
            small[name] = values.float().contiguous()
            continue
        scale = (values.float().abs().amax(dim=1, keepdim=True) / 127).clamp(min=1e-6).half()
        small[name] = (values.float() / scale.float()).round().clamp(-127, 127).to(torch.int8)
        small[name + SCALE] = scale
    return small


def unpacked(small: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The float32 weights again, each within half a step of what was packed."""
    return {name: _unpacked(small, name) for name in small if not name.endswith(SCALE)}


def _unpacked(small: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    values = small[name]
    return values.float() * small[name + SCALE].float() if name + SCALE in small else values.clone()


def adapted(folder: Path) -> tuple[dict[str, torch.Tensor], Callable[[str], torch.Tensor]]:
    """The packed weights of a folder, and what gives each of them by its name, unpacked, with what the
    adapter adds, if there is one. Added in double precision: no step of `index.linear` hangs on the machine.
    """
    small = load_file(folder / WEIGHTS)
    narrow = load_file(folder / ADAPTER) if (folder / ADAPTER).is_file() else {}

    def weight(name: str) -> torch.Tensor:
        values = _unpacked(small, name)
        if name + UP in narrow:
            up, down = (_unpacked(narrow, name + end).double() for end in (UP, DOWN))
            values = (values.double() + up @ down).float()
        return values

    return small, weight


class PackedRows(torch.nn.Module):
    """An Embedding that keeps its rows packed and unpacks those looked up: the same values, never trained."""

    def __init__(self, rows: torch.Tensor, scale: torch.Tensor) -> None:
        super().__init__()
        self._rows, self._scale = rows, scale

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """(…) → (… × hidden)."""
        found: torch.Tensor = self._rows[ids].float() * self._scale[ids].float()
        return found


class PackedBert(InputModule):
    """A BERT and its tokenizer: texts → the hidden state of each piece."""

    tokenizer: PreTrainedTokenizerFast

    def __init__(
        self,
        bert: BertModel | Bert,
        tokenizer: PreTrainedTokenizerFast,
        late: LateInteraction | None = None,
        reading: Reading | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bert, self.tokenizer, self.late, self.reading = bert, tokenizer, late, reading

    def preprocess(
        self, inputs: Sequence[Any], prompt: str | None = None, **_: Any
    ) -> dict[str, torch.Tensor]:
        """Cut texts into pieces, padded to the longest of the batch, and add ENDS."""
        texts = [(prompt or "") + str(text) for text in inputs]
        batch = self.tokenizer(
            texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt",
            return_token_type_ids=False, return_offsets_mapping=True,
        )  # fmt: skip
        offsets = batch.pop("offset_mapping")
        return dict(batch) | {ENDS: offsets[..., 1]}

    def forward(self, features: dict[str, torch.Tensor], **_: Any) -> dict[str, torch.Tensor]:
        """Add `token_embeddings`, (texts × pieces × hidden), and what late interaction makes of them."""
        ids, mask = features["input_ids"], features["attention_mask"]
        if isinstance(self.bert, Bert):
            states: Sequence[torch.Tensor] = self.bert(ids, mask)
        else:
            states = self.bert(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        found = features | {"token_embeddings": states[-1]}
        if self.late:
            found[VECTORS], found[RARITY] = self.late(states[-1], ids)
        if self.reading:
            found[STATES] = states[LAYER]
        return found

    def get_embedding_dimension(self) -> int:
        """The size of a hidden state."""
        return int(self.bert.config.hidden_size)

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        """Write the configuration, the tokenizer and the weights, adapted if they were, into a folder."""
        assert isinstance(self.bert, BertModel), "made for inference alone"
        self.bert.config.save_pretrained(output_path)
        self.tokenizer.save_pretrained(output_path)
        save_file(packed(self.bert.state_dict()), Path(output_path) / WEIGHTS)
        (Path(output_path) / ADAPTER).unlink(missing_ok=True)
        if self.late:
            self.save_late(self.late, Path(output_path))
        if self.reading:
            self.save_reading(self.reading, Path(output_path))

    @staticmethod
    def save_late(late: LateInteraction, folder: Path) -> None:
        """Write late interaction beside the weights, which stay as they are."""
        save_file({k: v.half().contiguous() for k, v in late.state_dict().items()}, folder / LATE)

    @staticmethod
    def save_reading(reading: Reading, folder: Path) -> None:
        """Write what reads beside the weights, which stay as they are."""
        save_file(packed(reading.state_dict()), folder / READING)

    @classmethod
    def load(cls, model_name_or_path: str, *_: Any, **__: Any) -> "PackedBert":
        """Read such a folder. Raises OSError when a file of it is missing."""
        folder = Path(model_name_or_path)
        bert = BertModel(BertConfig.from_pretrained(folder), add_pooling_layer=False)
        small, weight = adapted(folder)
        bert.load_state_dict({name: weight(name) for name in small if not name.endswith(SCALE)})
        bert.eval()  # type: ignore[no-untyped-call]
        return cls._with_the_rest(bert, folder)

    @classmethod
    def for_inference(cls, folder: Path) -> "PackedBert":
        """The same, faster and a quarter of the size; it cannot be trained, saved or moved."""
        (small, weight), rows = adapted(folder), "embeddings.word_embeddings.weight"
        words = PackedRows(small[rows].clone(), small[rows + SCALE].clone())
        bert = Bert(words, weight, BertConfig.from_pretrained(folder))
        found = cls._with_the_rest(bert, folder)
        if found.reading:
            lay_out(found.reading, found.reading.state_dict().get, fine=False)
        return found

    @classmethod
    def _with_the_rest(cls, bert: BertModel | Bert, folder: Path) -> "PackedBert":
        late, reading, config = None, None, bert.config
        if (folder / LATE).is_file():
            late = LateInteraction(config.hidden_size, config.vocab_size)
            late.load_state_dict(load_file(folder / LATE))  # into single precision
        if late and (folder / READING).is_file():
            reading = Reading(config).eval()
            reading.load_state_dict(unpacked(load_file(folder / READING)))
        return cls(bert, PreTrainedTokenizerFast.from_pretrained(folder), late, reading)
