"""How the network computes its attention."""

from types import MethodType

import torch
from diffusers.models.attention_processor import Attention, AttnProcessor, AttnProcessor2_0
from torch import Tensor, nn

FEW = 256  # pixels, whose products written out take little memory


class ShortAttention(AttnProcessor2_0):
    """Attention as products of matrices for images of at most 256 pixels, else PyTorch's fused kernel.

    On a CPU in bf16 the fused kernel was slower wherever it was measured, most of all in the backward pass:
    docs/performance.md.
    """

    # diffusers looks for `temb` among the names of the parameters
    def __call__(self, attn: Attention, hidden_states: Tensor, *arguments, temb=None, **options) -> Tensor:
        """hidden_states: n x C x H x W."""
        written_out = hidden_states.shape[-2] * hidden_states.shape[-1] <= FEW
        attend = AttnProcessor() if written_out else super().__call__
        return attend(attn, hidden_states, *arguments, temb=temb, **options)


def attention_scores(attn: Attention, query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """Of bf16 queries and keys (n x pixels x C): what diffusers computes, bit for bit.

    It converts to float32 and back for the softmax, where the kernel for bf16 adds in float32, too. Where
    gradients are wanted, which would round otherwise, diffusers does it.
    """
    if torch.is_grad_enabled() or mask is not None:
        return Attention.get_attention_scores(attn, query, key, mask)
    with torch.autocast("cpu", enabled=False):
        room = query.new_empty(len(query), query.shape[1], key.shape[1])
        return torch.baddbmm(room, query, key.transpose(-1, -2), beta=0, alpha=attn.scale).softmax(-1)


def choose_attention(network: nn.Module, dtype: torch.dtype) -> None:
    """Give the network the way of attention that is faster on its device in this dtype. Weights stay."""
    if dtype == torch.bfloat16 and next(network.parameters()).device.type == "cpu":
        for module in network.modules():
            if isinstance(module, Attention):
                module.set_processor(ShortAttention())
                module.get_attention_scores = MethodType(attention_scores, module)
