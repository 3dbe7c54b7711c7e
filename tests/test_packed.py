"""Weights kept as bytes come back within half a step, and a packed model gives the vectors it gave before."""

from pathlib import Path

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertModel, PreTrainedTokenizerFast

from index.encoder import Encoder, EncoderName
from index.packed import PackedBert, packed, unpacked
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
    PackedBert(bert, PreTrainedTokenizerFast.from_pretrained(raw)).save(str(tmp_path / "packed"))
    small = Encoder(EncoderName(str(tmp_path / "packed")))
    plain = Encoder(EncoderName(str(tmp_path / "tiny"), "query: ", "passage: "))
    assert np.abs(small.query("où est le phare ?") - plain.query("où est le phare ?")).max() < 0.02
    texts = ["le phare est en mer.", "ici"]
    assert np.abs(small.passages(texts) - plain.passages(texts)).max() < 0.02
    assert small.dimensions == 16
