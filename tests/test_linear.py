"""Linear layers laid out for oneDNN give what they gave before."""

import pytest
import torch

from index.linear import lay_out


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(24, 48), (1, 7, 48), (3, 50, 48), (5, 320, 48), (1, 0, 48)])
def test_a_module_gives_what_it_gave_before(shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(0)
    inner = torch.nn.Sequential(torch.nn.Linear(48, 96, bias=bias), torch.nn.GELU())
    module = torch.nn.Sequential(inner, torch.nn.Linear(96, 32, bias=bias)).eval()
    x = torch.randn(*shape)
    with torch.inference_mode():
        before = module(x)
        lay_out(module, module.state_dict().get)
        after = module(x)
    assert after.shape == before.shape
    assert torch.allclose(after, before, atol=1e-5)
