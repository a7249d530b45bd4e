"""The forward pass of transformers' `Lfm2Model` and `LlamaModel`, arranged for training on a CPU.

The weights, and what they mean, are the stock model's: a trained run loads with `from_pretrained`, and a test holds
both forward passes against each other.  What is different is the work: products are taken in bfloat16, attention leaves
out the blocks that causality hides, and norms, activations and attention keep for their backward passes only what these
need.  A step takes about half the time of the stock model's under autocast.  Rows must be padded on the right.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx
from transformers import PreTrainedModel

# Queries that share one block of attention.  Smaller blocks hide more, larger ones start fewer products.
BLOCK = 128


def hidden_states(model: PreTrainedModel, ids: Tensor, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    """Last hidden states, (rows, length, width), float32; products are taken in `dtype`.  ids: (rows, length)."""
    body = model.model
    states = F.embedding(ids, body.embed_tokens.weight)
    angles = body.rotary_emb(states, torch.arange(ids.shape[1])[None])
    for layer in body.layers:
        states = _layer(layer, states, angles, dtype)
    last_norm = body.embedding_norm if hasattr(body, "embedding_norm") else body.norm
    return _normed(last_norm, states, torch.float32)


def _layer(layer: torch.nn.Module, states: Tensor, angles: tuple[Tensor, Tensor], dtype: torch.dtype) -> Tensor:
    """One layer: attention or a short convolution, then the feed-forward part, each added to what came in."""
    lfm2 = hasattr(layer, "operator_norm")
    norm = layer.operator_norm if lfm2 else layer.input_layernorm
    inner = _normed(norm, states, dtype)
    attends = hasattr(layer, "self_attn")
    states = states + (_attention(layer.self_attn, inner, angles) if attends else _convolution(layer.conv, inner))
    norm = layer.ffn_norm if lfm2 else layer.post_attention_layernorm
    inner = _normed(norm, states, dtype)
    part = layer.feed_forward if lfm2 else layer.mlp
    gate, up, down = (part.w1, part.w3, part.w2) if lfm2 else (part.gate_proj, part.up_proj, part.down_proj)
    both = _product(inner, torch.cat([gate.weight, up.weight]))
    return states + _product(_Gated.apply(both), down.weight)


def _normed(norm: torch.nn.Module, states: Tensor, dtype: torch.dtype) -> Tensor:
    return _Norm.apply(states, norm.weight, norm.variance_epsilon, dtype)


def _product(states: Tensor, weight: Tensor) -> Tensor:
    return F.linear(states, weight.to(states.dtype))


def _convolution(part: torch.nn.Module, states: Tensor) -> Tensor:
    """LFM2's short convolution: each place sees itself and the two before, between two gates."""
    before, after, inner = _product(states, part.in_proj.weight).chunk(3, dim=-1)
    inner = before * inner
    kernel = part.conv.weight.squeeze(1).to(states.dtype)
    size, length = kernel.shape[1], states.shape[1]
    padded = F.pad(inner, (0, 0, size - 1, 0))
    mixed = sum(padded[:, place : place + length] * kernel[:, place] for place in range(size))
    return _product(after * mixed, part.out_proj.weight)


def _attention(part: torch.nn.Module, states: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
    rows, length, _ = states.shape
    weights = [part.q_proj.weight, part.k_proj.weight, part.v_proj.weight]
    split = _product(states, torch.cat(weights)).split([len(weight) for weight in weights], dim=-1)
    query, key, value = (x.view(rows, length, -1, part.head_dim) for x in split)
    if hasattr(part, "q_layernorm"):
        query, key = _normed(part.q_layernorm, query, states.dtype), _normed(part.k_layernorm, key, states.dtype)
    query, key = _rotate(query, angles), _rotate(key, angles)
    mixed = _CausalAttention.apply(query, key, value, part.scaling)
    last = part.out_proj if hasattr(part, "out_proj") else part.o_proj
    return _product(mixed.reshape(rows, length, -1), last.weight)


def _rotate(heads: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary positions.  heads: (rows, length, heads, size).  angles: cosines and sines, (1, length, size)."""
    cosine, sine = (angle[:, :, None].to(heads.dtype) for angle in angles)
    first, second = heads.chunk(2, dim=-1)
    return heads * cosine + torch.cat([-second, first], dim=-1) * sine


class _Norm(torch.autograd.Function):
    """Root-mean-square norm over the last axis (Zhang and Sennrich 2019, arXiv 1910.07467), given out in `dtype`."""

    @staticmethod
    def forward(context: FunctionCtx, states: Tensor, weight: Tensor, epsilon: float, dtype: torch.dtype) -> Tensor:
        states = states.float()
        scale = torch.linalg.vector_norm(states, dim=-1, keepdim=True).square_().div_(states.shape[-1])
        scale = scale.add_(epsilon).rsqrt_()
        unit = states * scale
        context.save_for_backward(unit, weight, scale)
        return (unit * weight).to(dtype)

    @staticmethod
    def backward(context: FunctionCtx, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        unit, weight, scale = context.saved_tensors
        product = gradient * unit
        for_weight = product.flatten(0, -2).sum(0)
        along = (product @ weight[:, None]) / unit.shape[-1]
        return (gradient * weight).sub_(unit * along).mul_(scale), for_weight, None, None


class _Gated(torch.autograd.Function):
    """silu(gate) × up, both in one tensor, (…, 2 × size)."""

    @staticmethod
    def forward(context: FunctionCtx, both: Tensor) -> Tensor:
        context.save_for_backward(both)
        gate, up = both.chunk(2, dim=-1)
        return F.silu(gate) * up

    @staticmethod
    def backward(context: FunctionCtx, gradient: Tensor) -> Tensor:
        (both,) = context.saved_tensors
        gate, up = both.chunk(2, dim=-1)
        out = torch.empty_like(both)
        for_gate, for_up = out.chunk(2, dim=-1)
        torch.mul(gradient, F.silu(gate), out=for_up)
        for_gate.copy_(torch.ops.aten.silu_backward(gradient * up, gate))
        return out


class _CausalAttention(torch.autograd.Function):
    """Softmax attention to the same and earlier places, block by block of queries."""

    @staticmethod
    def forward(context: FunctionCtx, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """query: (rows, length, heads, size).  key, value: the same with fewer heads.  Returns the query's shape."""
        rows, length, heads, size = query.shape
        shared = heads // key.shape[2]
        queries = (query * scale).view(rows, length, -1, shared, size).permute(0, 2, 3, 1, 4).flatten(0, 1).contiguous()
        keys, values = (x.transpose(1, 2).flatten(0, 1).contiguous() for x in (key, value))
        later = torch.full((BLOCK, BLOCK), float("-inf"), dtype=query.dtype).triu_(1)
        mixed, weights = torch.empty_like(queries), []
        for start in range(0, length, BLOCK):
            stop = min(start + BLOCK, length)
            part = queries[:, :, start:stop].reshape(len(queries), -1, size)
            scores = torch.bmm(part, keys[:, :stop].transpose(1, 2)).view(-1, stop - start, stop)
            scores[:, :, start:] += later[: stop - start, : stop - start]
            weight = torch.softmax(scores, dim=-1).view(len(queries), -1, stop)
            mixed[:, :, start:stop] = torch.bmm(weight, values[:, :stop]).view(len(queries), shared, -1, size)
            weights.append(weight)
        context.save_for_backward(queries, keys, values, *weights)
        context.scale, context.shape = scale, query.shape
        return mixed.view(rows, -1, shared, length, size).permute(0, 3, 1, 2, 4).reshape(query.shape)

    @staticmethod
    def backward(context: FunctionCtx, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        queries, keys, values, *weights = context.saved_tensors
        rows, length, heads, size = context.shape
        shared = queries.shape[1]
        gradient = gradient.reshape(rows, length, -1, shared, size).permute(0, 2, 3, 1, 4).flatten(0, 1).contiguous()
        for_query = torch.empty_like(queries)
        for_key, for_value = (torch.zeros(x.shape, dtype=torch.float32) for x in (keys, values))
        for start, weight in zip(range(0, length, BLOCK), weights, strict=True):
            stop = min(start + BLOCK, length)
            part = queries[:, :, start:stop].reshape(len(queries), -1, size)
            coming = gradient[:, :, start:stop].reshape(len(queries), -1, size)
            for_value[:, :stop] += torch.bmm(weight.transpose(1, 2), coming)
            scores = torch.bmm(coming, values[:, :stop].transpose(1, 2))
            scores = torch.ops.aten._softmax_backward_data(scores, weight, -1, scores.dtype)
            for_query[:, :, start:stop] = torch.bmm(scores, keys[:, :stop]).view(len(queries), shared, -1, size)
            for_key[:, :stop] += torch.bmm(scores.transpose(1, 2), part)
        for_query = for_query.mul_(context.scale).view(rows, -1, shared, length, size).permute(0, 3, 1, 2, 4)
        back = (x.to(queries.dtype).view(rows, -1, length, size).transpose(1, 2) for x in (for_key, for_value))
        return for_query.reshape(context.shape), *back, None
