"""Attention written out is the fused kernel's within the rounding of bf16, and weights stay as they are."""

import copy

import pytest
import torch
from diffusers.models.attention_processor import Attention, AttnProcessor, AttnProcessor2_0

from shapednoise.config.training import UNetSettings
from shapednoise.diffusion.attention import choose_attention
from shapednoise.diffusion.device import autocast
from shapednoise.diffusion.network import build_unet

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def unet():
    torch.manual_seed(0)
    settings = UNetSettings(channels=(16, 32), layers_per_block=1, norm_groups=4, attention_levels=(2,))
    return build_unet(settings, 16)


def processors(network):
    return {type(module.processor) for module in network.modules() if isinstance(module, Attention)}


def output_and_gradient(network, dtype):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn((8, 3, 16, 16), generator=generator)
    target = torch.randn(x.shape, generator=generator)
    with autocast(CPU, dtype):
        output = network(x, torch.full((8,), 300)).sample
    (output.float() - target).square().mean().backward()
    gradients = [weight.grad.flatten() for weight in network.parameters()]
    return output.detach().float(), torch.cat(gradients)


def test_it_rounds_no_more_than_the_fused_kernel(unet):
    written_out = copy.deepcopy(unet)
    choose_attention(written_out, torch.bfloat16)
    exact = output_and_gradient(copy.deepcopy(unet), torch.float32)
    fused = output_and_gradient(copy.deepcopy(unet), torch.bfloat16)
    found = output_and_gradient(written_out, torch.bfloat16)
    for one, other, right in zip(found, fused, exact, strict=True):
        assert not torch.equal(one, other)  # it is another way
        assert (one - right).norm() < 1.2 * (other - right).norm() < 0.05 * right.norm()


def test_float32_keeps_its_way_and_no_weight_changes(unet):
    network = copy.deepcopy(unet)
    choose_attention(network, torch.float32)
    assert processors(network) == processors(unet)
    choose_attention(network, torch.bfloat16)
    assert processors(network) != processors(unet)
    assert all(map(torch.equal, network.state_dict().values(), unet.state_dict().values()))


@pytest.mark.parametrize("wanted", [False, True])
def test_its_scores_are_those_of_diffusers_bit_for_bit(unet, wanted):
    """And in bf16 throughout where no gradient is wanted."""
    network, of_diffusers, seen = copy.deepcopy(unet), copy.deepcopy(unet), []
    choose_attention(network, torch.bfloat16)
    for module in of_diffusers.modules():
        if isinstance(module, Attention):
            module.set_processor(AttnProcessor())
    x, softmax = torch.randn((8, 3, 16, 16), generator=torch.Generator().manual_seed(1)), torch.Tensor.softmax
    with pytest.MonkeyPatch.context() as patch, torch.set_grad_enabled(wanted), autocast(CPU, torch.bfloat16):
        patch.setattr(torch.Tensor, "softmax", lambda *a, **b: seen.append(softmax(*a, **b)) or seen[-1])
        sides = (network, copy.deepcopy(network), of_diffusers)
        outputs = [side(x, torch.full((8,), 300)).sample for side in sides]
    assert torch.equal(outputs[0], outputs[1]) and torch.equal(outputs[0], outputs[2])
    third = len(seen) // 3
    dtypes = [{one.dtype for one in seen[start : start + third]} for start in (0, third, 2 * third)]
    ours = {torch.float32 if wanted else torch.bfloat16}
    assert third > 0 and dtypes == [ours, ours, {torch.float32}]


@pytest.mark.parametrize("side, few", [(16, True), (17, False)])
def test_many_pixels_keep_the_fused_kernel(unet, monkeypatch, side, few):
    """Whose products would take memory by the square of their number."""
    network, used = copy.deepcopy(unet), []
    choose_attention(network, torch.bfloat16)
    for way in (AttnProcessor, AttnProcessor2_0):
        monkeypatch.setattr(way, "__call__", lambda self, attn, x, *_, **__: used.append(type(self)) or x)
    attention = next(module for module in network.modules() if isinstance(module, Attention))
    attention(torch.zeros((1, 32, side, side)))
    assert (used == [AttnProcessor]) is few and len(used) == 1
