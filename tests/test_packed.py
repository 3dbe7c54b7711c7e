"""Weights kept as bytes come back within half a step, and a packed model gives the vectors it gave before."""

from pathlib import Path

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import BertModel

from index.encoder import Encoder, EncoderName
from index.packed import ADAPTER, DOWN, UP, PackedBert, packed, unpacked
from tests.test_encoder import tiny_model


@given(
    st.lists(st.lists(st.floats(-100, 100, width=32), min_size=3, max_size=3), min_size=1, max_size=5),
)
def test_a_matrix_comes_back_within_half_a_step_of_its_row(rows: list[list[float]]) -> None:
    matrix = torch.tensor(rows)
    back = unpacked(packed({"m": matrix}))["m"]
    step = matrix.abs().amax(dim=1, keepdim=True) / 127
    assert ((back - matrix).abs() <= 0.51 * step + 1e-3 * matrix.abs() + 1e-4).all()


def test_vectors_stay_as_they_are() -> None:
    bias = torch.randn(7)
    assert torch.equal(unpacked(packed({"b": bias}))["b"], bias)


def test_a_packed_model_encodes_as_before_with_the_prefixes_of_the_bundled_one(tmp_path: Path) -> None:
    tiny_model(tmp_path / "tiny")
    raw = tmp_path / "tiny-raw"
    bert = BertModel.from_pretrained(raw, add_pooling_layer=False)
    (tmp_path / "packed").mkdir()
    PackedBert(bert, Tokenizer.from_file(str(raw / "tokenizer.json"))).save(tmp_path / "packed")
    small = Encoder(EncoderName(str(tmp_path / "packed")))
    plain = Encoder(EncoderName(str(tmp_path / "tiny"), "query: ", "passage: "))
    assert np.abs(small.query("où est le phare ?") - plain.query("où est le phare ?")).max() < 0.02
    texts = ["le phare est en mer.", "ici"]
    assert np.abs(small.passages(texts) - plain.passages(texts)).max() < 0.02
    assert small.dimensions == 16


def test_what_an_adapter_adds_is_as_if_the_weights_were_so_and_is_saved_in_them(tmp_path: Path) -> None:
    tiny_model(tmp_path / "tiny")
    raw = tmp_path / "tiny-raw"
    tokenizer = Tokenizer.from_file(str(raw / "tokenizer.json"))
    bert, changed = (BertModel.from_pretrained(raw, add_pooling_layer=False) for _ in range(2))
    name = "encoder.layer.0.intermediate.dense.weight"
    rows, columns = bert.state_dict()[name].shape
    up, down = torch.randn(rows, 2), torch.randn(2, columns)
    with torch.no_grad():
        changed.get_parameter(name).add_(up @ down)
    folders = [tmp_path / each for each in ("plain", "adapted", "changed", "saved")]
    for folder, model in zip(folders, (bert, bert, changed), strict=False):
        folder.mkdir()
        PackedBert(model, tokenizer).save(folder)
    save_file(packed({name + UP: up, name + DOWN: down}), folders[1] / ADAPTER)
    folders[3].mkdir()
    save_file({"stale": up}, folders[3] / ADAPTER)
    PackedBert.load(folders[1]).save(folders[3])
    plain, *others = (Encoder(EncoderName(str(each))).query("où est le phare ?") for each in folders)
    assert np.abs(plain - others[1]).max() > 0.05
    for vector in others:
        assert np.abs(vector - others[1]).max() < 0.02
