"""Linear layers in whole numbers give what they gave before, nearly, whatever stands beside a row."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from index.linear import laid, lay_out
from index.packed import packed, unpacked

SHAPES = [(24, 48), (1, 7, 48), (3, 50, 48), (5, 320, 48), (1, 0, 48)]


@pytest.mark.parametrize(("fine", "most"), [(True, 0.002), (False, 0.1)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_module_gives_what_it_gave_before(
    shape: tuple[int, ...], bias: bool, fine: bool, most: float
) -> None:
    torch.manual_seed(0)
    inner = torch.nn.Sequential(torch.nn.Linear(48, 96, bias=bias), torch.nn.GELU())
    module = torch.nn.Sequential(inner, torch.nn.Linear(96, 32, bias=bias)).eval()
    module.load_state_dict(unpacked(packed(module.state_dict())))
    x = torch.randn(*shape)
    x[..., 3] *= 20  # as in a BERT, one input goes much farther than the others
    with torch.inference_mode():
        before = module(x)
        lay_out(module, module.state_dict().get, fine=fine)
        after = module(x)
    assert after.shape == before.shape
    assert (after - before).norm() <= most * before.norm()


@pytest.mark.parametrize("fine", [True, False])
def test_the_greatest_products_are_added_up_without_loss(fine: bool) -> None:
    module = laid(torch.ones(16, 512), None, fine=fine)
    assert torch.allclose(module(torch.ones(3, 512)), torch.tensor(512.0), rtol=1e-3)
    assert torch.allclose(module(-torch.ones(3, 512)), torch.tensor(-512.0), rtol=1e-3)
    assert torch.equal(module(torch.zeros(3, 512)), torch.zeros(3, 16))


@given(st.integers(1, 40), st.booleans())
def test_a_row_alone_gives_what_it_gives_among_others(rows: int, fine: bool) -> None:
    torch.manual_seed(rows)
    module, x = laid(torch.randn(24, 48), torch.randn(24), fine=fine), torch.randn(rows, 48)
    assert torch.equal(module(x)[-1:], module(x[-1:]))
