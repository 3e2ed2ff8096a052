#!/usr/bin/env python3
"""Tiny random FT-Transformers, and what the authors' package computes with them (rtdl_revisiting_models).

    build/golden-env/bin/python tests/golden/make_table_model_golden.py [NAME...]

writes families/NAME/ for each variant below: config.json (the arguments of FTTransformer), model.safetensors (its
state_dict in bf16; the numbers were rounded to bf16 before anything was computed, so nothing is lost) and
golden.safetensors as make_family_golden.py describes it, with the rows

      numbers.N      f32 [numeric]      one row each, N = 0, 1, ...
      missing.N      i32 [numeric]      1: the number is missing (and 0 stands for it)
      categories.N   i32 [categorical]
      labels.N       i32 [1]            its class; or
      targets.N      f32 [1]            the number it should give; the loss is the mean squared error
      hidden.N       f32 [tokens, width] of the class token and all columns, final norm included. The package computes
                                        the class token's alone in the last block; the others follow from the same
                                        modules, and the script asserts that the class token's is the package's own.

The package knows no missing numbers (our option missing_embeddings): table_missing adds their vectors to what the
package's LinearEmbeddings give.
"""
import json
import pathlib
import sys

import safetensors.torch
import torch
from rtdl_revisiting_models import FTTransformer
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).resolve().parent / "families"
SEED = 20241125
ROWS = 5
BLOCK = dict(attention_dropout=0.2, ffn_dropout=0.1, residual_dropout=0.0)

VARIANTS = {
    "table_numbers": dict(n_cont_features=5, cat_cardinalities=[], n_blocks=2, d_block=32, attention_n_heads=4,
                          ffn_d_hidden_multiplier=4 / 3, ffn_activation="ReGLU", d_out=3, **BLOCK),
    "table_categories": dict(n_cont_features=0, cat_cardinalities=[4, 7, 3], n_blocks=2, d_block=24,
                             attention_n_heads=1, ffn_d_hidden=40, ffn_d_hidden_multiplier=None,
                             ffn_activation="ReLU", d_out=2, **BLOCK),
    "table_both": dict(n_cont_features=4, cat_cardinalities=[5, 3], n_blocks=3, d_block=32, attention_n_heads=8,
                       ffn_d_hidden_multiplier=1.5, ffn_activation="ReGLU", d_out=4, **BLOCK),
    "table_missing": dict(n_cont_features=4, cat_cardinalities=[6], n_blocks=1, d_block=32, attention_n_heads=4,
                          ffn_d_hidden_multiplier=2.0, ffn_activation="ReGLU", d_out=1, missing_embeddings=True,
                          **BLOCK),
    "table_body": dict(n_cont_features=2, cat_cardinalities=[3, 3], n_blocks=2, d_block=16, attention_n_heads=2,
                       ffn_d_hidden_multiplier=2.0, ffn_activation="ReLU", d_out=None, **BLOCK),
}


class MissingEmbeddings(nn.Module):
    """LinearEmbeddings that add a vector of the column where a number is missing (given as NaN; it counts as 0)."""

    def __init__(self, inner):
        super().__init__()
        self.weight, self.bias = inner.weight, inner.bias
        self.missing = nn.Parameter(torch.empty_like(inner.weight))

    def forward(self, x):
        tokens = torch.nan_to_num(x)[..., None] * self.weight + self.bias[None]
        return tokens + x.isnan()[..., None] * self.missing


def tiny_model(arguments):
    torch.manual_seed(SEED)
    arguments = dict(arguments)
    missing = arguments.pop("missing_embeddings", False)
    model = FTTransformer(**arguments)
    if missing:
        model.cont_embeddings = MissingEmbeddings(model.cont_embeddings)
    for name, parameter in model.named_parameters():
        is_norm = "normalization.weight" in name
        parameter.data.normal_(1.0 if is_norm else 0.0, 0.2 if parameter.dim() > 1 else 0.1)
        parameter.data = parameter.data.bfloat16().float()
    return model.eval()


def table_rows(arguments, generator):
    for n in range(ROWS):
        numbers = torch.randn(arguments["n_cont_features"], generator=generator)
        missing = torch.rand(numbers.shape, generator=generator) < (0.4 if "missing_embeddings" in arguments else 0)
        categories = torch.tensor([int(torch.randint(0, ids, (1,), generator=generator))
                                   for ids in arguments["cat_cardinalities"]], dtype=torch.long)
        kept = {f"numbers.{n}": numbers.masked_fill(missing, 0), f"missing.{n}": missing.int(),
                f"categories.{n}": categories}
        kept = {name: tensor for name, tensor in kept.items() if tensor.numel() > 0}
        yield inputs_of(numbers, missing, categories), kept


def inputs_of(numbers, missing, categories):
    cont = numbers.masked_fill(missing, float("nan"))[None] if numbers.numel() else None
    return cont, categories[None] if categories.numel() else None


def all_states(model, cont, cat):
    """The package's forward pass with every token kept in the last block."""
    tokens = [model.cls_embedding((1,))]
    if cont is not None:
        tokens.append(model.cont_embeddings(cont))
    if cat is not None:
        tokens.append(model.cat_embeddings(cat))
    x = torch.cat(tokens, dim=1)
    for block in model.backbone.blocks:
        inner = block["attention_normalization"](x) if "attention_normalization" in block else x
        x = x + block["attention"](inner, inner)
        x = x + block["ffn"](block["ffn_normalization"](x))
    return x[0] if model.backbone.output is None else model.backbone.output.normalization(x)[0]


def check_states(model, states, result):
    output = model.backbone.output
    from_states = states[0] if output is None else output.linear(output.activation(states[0]))
    assert torch.allclose(from_states, result[0], atol=1e-5), (from_states, result)


def loss_of(result, kept, n, generator, arguments):
    if arguments["d_out"] == 1:
        kept[f"targets.{n}"] = torch.randn(1, generator=generator)
        return F.mse_loss(result[:, 0], kept[f"targets.{n}"])
    kept[f"labels.{n}"] = torch.randint(0, arguments["d_out"], (1,), generator=generator)
    return F.cross_entropy(result, kept[f"labels.{n}"])


def sampled(gradient):
    flat = gradient.flatten()
    count = min(len(flat), 32)
    places = torch.arange(count) * len(flat) // count
    return torch.cat([flat.norm()[None], flat[places]])


def relative(theirs, wanted):
    difference = sum(float((a.double() - b.double()).square().sum()) for a, b in zip(theirs, wanted))
    return (difference / sum(float(b.double().square().sum()) for b in wanted)) ** 0.5


def in_bf16(model, inputs, tensors):
    """How far the package itself is from fp32 when it computes in bf16."""
    model = model.bfloat16()
    half = lambda x: x.bfloat16() if x is not None and x.is_floating_point() else x
    with torch.no_grad():
        states = [all_states(model, half(cont), cat).float() for cont, cat in inputs]
        results = [model(half(cont), cat)[0].float() for cont, cat in inputs]
    errors = [relative(states, [tensors[f"hidden.{n}"] for n in range(ROWS)]), 0.0]
    if "logits.0" in tensors:
        errors[1] = relative(results, [tensors[f"logits.{n}"] for n in range(ROWS)])
    tensors["bf16"] = torch.tensor(errors)


def make(name):
    arguments = VARIANTS[name]
    model = tiny_model(arguments)
    generator = torch.Generator().manual_seed(SEED + len(name))
    inputs, tensors, total = [], {}, 0
    for n, (given, kept) in enumerate(table_rows(arguments, generator)):
        inputs.append(given)
        result = model(*given)
        states = all_states(model, *given)
        check_states(model, states, result)
        tensors.update(kept)
        tensors[f"hidden.{n}"] = states
        if arguments["d_out"] is None:
            continue
        tensors[f"logits.{n}"] = result[0]
        loss = loss_of(result, tensors, n, generator, arguments)
        tensors[f"loss.{n}"] = loss[None]
        total = total + loss
    if torch.is_tensor(total):
        total.backward()
        tensors.update({f"grad.{name}": sampled(p.grad) for name, p in model.named_parameters() if p.grad is not None})
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    weights = {k: v.detach().bfloat16().contiguous() for k, v in model.state_dict().items()}
    safetensors.torch.save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = {"architectures": ["FTTransformer"], "model_type": "ft-transformer", **arguments}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    in_bf16(model, inputs, tensors)
    tensors = {k: (v.int() if v.dtype == torch.long else v).detach().clone().contiguous() for k, v in tensors.items()}
    safetensors.torch.save_file(tensors, folder / "golden.safetensors", metadata={"format": "pt"})
    print(name, sum(f.stat().st_size for f in folder.iterdir()), "bytes")


def main():
    for name in sys.argv[1:] or VARIANTS:
        make(name)


if __name__ == "__main__":
    main()
