"""A BERT whose matrices lie on disk as bytes, a quarter of their size in memory.

Each row of a matrix is kept as 8-bit integers with one scale; trained in single precision, used in integers
(`index.linear`). It is all that sentence-transformers needs to encode many texts, but for a question neither
that nor transformers is imported, which would take seconds. Knows nothing about what the model is for.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn import functional

from index.bert import Bert
from index.encoder import READING
from index.interaction import LateInteraction
from index.linear import lay_out
from index.reading import LAYER, Reading

if TYPE_CHECKING:
    from transformers import BertModel  # for training alone

TOKENIZER, CONFIG = "tokenizer.json", "config.json"
WEIGHTS = "packed.safetensors"
SCALE = ".scale"  # a matrix's scales have its name and this
ENDS = "ends"  # a feature: where each piece ends in its text, in characters; 0 for the marks around it
VECTORS, RARITY = "late_vectors", "late_rarity"  # features, see `index.interaction`
STATES = "states"  # a feature, see `index.reading`
SENTENCE = "sentence_embedding"  # a feature: what sentence-transformers calls the vector of a text
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


def mean(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """(texts × pieces × hidden) states, and 1 where there is a piece → (texts × hidden) unit vectors."""
    return functional.normalize((states.float() * mask[..., None]).sum(1), dim=-1)


class PackedRows(torch.nn.Module):
    """An Embedding that keeps its rows packed and unpacks those looked up: the same values, never trained."""

    def __init__(self, rows: torch.Tensor, scale: torch.Tensor) -> None:
        super().__init__()
        self._rows, self._scale = rows, scale

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """(…) → (… × hidden)."""
        found: torch.Tensor = self._rows[ids].float() * self._scale[ids].float()
        return found


class PackedBert(torch.nn.Module):
    """A BERT and its tokenizer: texts → a unit vector of each, and the hidden state of each piece."""

    def __init__(
        self,
        bert: "BertModel | Bert",
        tokenizer: Tokenizer,
        late: LateInteraction | None = None,
        reading: Reading | None = None,
    ) -> None:
        super().__init__()
        self.bert, self.tokenizer, self.late, self.reading = bert, tokenizer, late, reading
        pad = int(bert.config.pad_token_id or 0)
        tokenizer.enable_padding(pad_id=pad, pad_token=tokenizer.id_to_token(pad))
        tokenizer.enable_truncation(LONGEST)

    def preprocess(
        self, inputs: Sequence[Any], prompt: str | None = None, **_: Any
    ) -> dict[str, torch.Tensor]:
        """Cut texts into pieces, padded to the longest of the batch, and add ENDS."""
        batch = self.tokenizer.encode_batch([(prompt or "") + str(text) for text in inputs])
        return {
            "input_ids": torch.tensor([text.ids for text in batch]),
            "attention_mask": torch.tensor([text.attention_mask for text in batch]),
            ENDS: torch.tensor([[end for _, end in text.offsets] for text in batch]),
        }

    def forward(self, features: dict[str, torch.Tensor], **_: Any) -> dict[str, torch.Tensor]:
        """Add `token_embeddings`, (texts × pieces × hidden), their mean as SENTENCE, (texts × hidden), and
        what late interaction makes of them.
        """
        ids, mask = features["input_ids"], features["attention_mask"]
        if isinstance(self.bert, Bert):
            states: Sequence[torch.Tensor] = self.bert(ids, mask)
        else:
            states = self.bert(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        found = features | {"token_embeddings": states[-1]}
        found[SENTENCE] = mean(states[-1], mask)
        if self.late:
            found[VECTORS], found[RARITY] = self.late(states[-1], ids)
        if self.reading:
            found[STATES] = states[LAYER]
        return found

    def get_embedding_dimension(self) -> int:
        """The size of a hidden state."""
        return int(self.bert.config.hidden_size)

    def save(self, folder: Path) -> None:
        """Write the configuration, the tokenizer and the weights, adapted if they were, into a folder."""
        assert not isinstance(self.bert, Bert), "made for inference alone"
        self.bert.config.save_pretrained(folder)
        self.tokenizer.save(str(folder / TOKENIZER))
        save_file(packed(self.bert.state_dict()), folder / WEIGHTS)
        (folder / ADAPTER).unlink(missing_ok=True)
        if self.late:
            self.save_late(self.late, folder)
        if self.reading:
            self.save_reading(self.reading, folder)

    @staticmethod
    def save_late(late: LateInteraction, folder: Path) -> None:
        """Write late interaction beside the weights, which stay as they are."""
        save_file({k: v.half().contiguous() for k, v in late.state_dict().items()}, folder / LATE)

    @staticmethod
    def save_reading(reading: Reading, folder: Path) -> None:
        """Write what reads beside the weights, which stay as they are."""
        save_file(packed(reading.state_dict()), folder / READING)

    @classmethod
    def load(cls, folder: Path) -> "PackedBert":
        """Read such a folder. Raises OSError when a file of it is missing."""
        from transformers import BertConfig, BertModel  # here: the import takes seconds

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
        config = SimpleNamespace(**json.loads((folder / CONFIG).read_text("utf-8")))
        found = cls._with_the_rest(Bert(words, weight, config), folder)
        if found.reading:
            lay_out(found.reading, found.reading.state_dict().get, fine=False)
        return found

    @classmethod
    def _with_the_rest(cls, bert: "BertModel | Bert", folder: Path) -> "PackedBert":
        late, reading, config = None, None, bert.config
        if (folder / LATE).is_file():
            late = LateInteraction(config.hidden_size, config.vocab_size)
            late.load_state_dict(load_file(folder / LATE))  # into single precision
        if late and (folder / READING).is_file():
            reading = Reading(config).eval()
            reading.load_state_dict(unpacked(load_file(folder / READING)))
        return cls(bert, Tokenizer.from_str((folder / TOKENIZER).read_text("utf-8")), late, reading)
