#!/usr/bin/env python3
"""What transformers and peft compute when they tune a language model on the assistant's words.

    build/golden-env/bin/python tests/golden/make_language_tuning_golden.py      (after make_family_golden.py)

writes per family tests/golden/language_tuning/NAME/
    adapter_config.json, adapter_model.safetensors   LoRA on every linear map, by PeftModel.save_pretrained
    golden.safetensors   of the tiny model families/NAME:
        ids [tokens], offsets [rows + 1], weights [tokens]   rows one after another; the weight of saying each token
        loss, accuracy                   model(input_ids, attention_mask, labels) of the rows padded to one length, with
                                         label -100 where the weight is 0, and the share of labels that are likeliest
        grad.MODULE.a, grad.MODULE.b     of that loss, by the name that Rootstock has for the module; where peft adapts
                                         several maps as one, the gradient of A stands under all their names with "+"
        weighed_loss, weighed_grad...    the same with the weights halved in the second row: sum(w loss) / sum(w)
"""
import os
import pathlib
import shutil

os.environ["HF_HUB_OFFLINE"] = "1"

import peft
import safetensors.torch
import torch
import transformers

from make_peft_golden import sort_targets

HERE = pathlib.Path(__file__).resolve().parent
FAMILIES = ["llama", "gpt2", "qwen2", "mistral_window"]
SEED = 11
LENGTHS = [9, 23, 4, 17]
LEARNED = [[(5, 9)], [(4, 8), (15, 23)], [(1, 4)], [(10, 17)]]  # of each row, where the assistant speaks

NAMES = {"self_attn.q_proj": "query", "self_attn.k_proj": "key", "self_attn.v_proj": "value",
         "self_attn.o_proj": "attention_output", "mlp.gate_proj": "gate", "mlp.up_proj": "inner",
         "mlp.down_proj": "output", "attn.c_attn": "query+key+value", "attn.c_proj": "attention_output",
         "mlp.c_fc": "inner", "mlp.c_proj": "output"}


def load(family):
    model = transformers.AutoModelForCausalLM.from_pretrained(
        HERE / "families" / family, torch_dtype=torch.float32, attn_implementation="eager")
    model.name_or_path = family
    return model


def adapted(family):
    config = peft.LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, lora_dropout=0.0, bias="none",
                             target_modules="all-linear", fan_in_fan_out=family == "gpt2")
    model = peft.get_peft_model(load(family), config)
    torch.manual_seed(SEED)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data.normal_(0.0, 0.2)
    return model.eval()


def rows(vocabulary):
    torch.manual_seed(SEED + 1)
    ids = [torch.randint(3, vocabulary, (length,)) for length in LENGTHS]
    weights = [torch.zeros(length) for length in LENGTHS]
    for weight, spans in zip(weights, LEARNED):
        for begin, end in spans:
            weight[begin:end] = 1
    return ids, weights


def padded(ids, weights):
    longest = max(LENGTHS)
    batch = torch.zeros(len(ids), longest, dtype=torch.long)
    mask = torch.zeros_like(batch)
    labels = torch.full_like(batch, -100)
    for row, (some, weight) in enumerate(zip(ids, weights)):
        batch[row, :len(some)] = some
        mask[row, :len(some)] = 1
        labels[row, :len(some)] = torch.where(weight > 0, some, torch.tensor(-100))
    return batch, mask, labels


def gradients(model, prefix):
    """Of every lora tensor, under the name that Rootstock has for its module."""
    tensors = {}
    for name, parameter in model.named_parameters():
        if "lora_" not in name:
            continue
        path, half = name.split(".lora_")
        layer, ending = next((path.split(".")[i + 1], ".".join(path.split(".")[i + 2:]))
                             for i, part in enumerate(path.split(".")) if part in ("layers", "h"))
        kinds = NAMES[ending].split("+")
        modules = [f"layers.{layer}.{kind}" for kind in kinds]
        gradient = parameter.grad.clone()
        if half.startswith("A"):
            tensors[f"{prefix}.{'+'.join(modules)}.a"] = gradient
        else:
            for module, part in zip(modules, gradient.chunk(len(modules))):
                tensors[f"{prefix}.{module}.b"] = part.contiguous()
    return tensors


def weighed_loss(model, ids, weights):
    """One row at a time, without padding: sum(w loss) / sum(w)."""
    total, weight_sum = 0, 0
    for some, weight in zip(ids, weights):
        logits = model(some[None]).logits[0, :-1]
        losses = torch.nn.functional.cross_entropy(logits, some[1:], reduction="none")
        total = total + (losses * weight[1:]).sum()
        weight_sum += weight[1:].sum()
    return total / weight_sum


def make(family):
    model = adapted(family)
    ids, weights = rows(model.config.vocab_size)
    batch, mask, labels = padded(ids, weights)
    result = model(batch, attention_mask=mask, labels=labels)
    result.loss.backward()
    said = labels[:, 1:] != -100
    right = (result.logits[:, :-1].argmax(-1) == labels[:, 1:])[said].float().mean()
    offsets = torch.tensor([0] + LENGTHS).cumsum(0).to(torch.int32)
    golden = {"ids": torch.cat(ids).to(torch.int32), "offsets": offsets, "weights": torch.cat(weights),
              "loss": result.loss.detach(), "accuracy": right, **gradients(model, "grad")}
    assert (weighed_loss(model, ids, weights) - result.loss).abs() < 1e-5
    model.zero_grad()
    halved = [weight * (0.5 if row == 1 else 1) for row, weight in enumerate(weights)]
    loss = weighed_loss(model, ids, halved)
    loss.backward()
    golden |= {"weighed_loss": loss.detach(), **gradients(model, "weighed_grad")}
    folder = HERE / "language_tuning" / family
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    sort_targets(folder / "adapter_config.json")
    safetensors.torch.save_file({name: tensor.contiguous() for name, tensor in golden.items()},
                                folder / "golden.safetensors")
    print(f"{family}: loss {result.loss:.4f}, accuracy {right:.3f}, weighed loss {loss:.4f}")


def main():
    transformers.logging.set_verbosity_error()
    for family in FAMILIES:
        make(family)


if __name__ == "__main__":
    main()
