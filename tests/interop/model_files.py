#!/usr/bin/env python3
"""What the reference libraries find in files that Rootstock wrote.

    model_files.py folder FILE.gguf FOLDER         tensors of FOLDER are those the gguf package decodes from FILE, rows of q
                                                   and k of a llama put back; transformers loads FOLDER with no tensor missing
    model_files.py file FOLDER FILE.gguf           FILE holds what the gguf package makes of FOLDER's tensors, byte by byte;
                                                   transformers' own GGUF reader finds the same tensors where it can
    model_files.py same BASE ADAPTER ADAPTER       peft gives the same logits with both adapters
    model_files.py merged BASE ADAPTER FOLDER      logits of FOLDER are those of peft on BASE
"""
import os
import pathlib
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import gguf
import numpy
import peft
import safetensors.torch
import torch
import transformers

transformers.logging.set_verbosity_error()


def folder_tensors(folder):
    tensors = {}
    for path in sorted(pathlib.Path(folder).glob("*.safetensors")):
        tensors.update(safetensors.torch.load_file(path))
    return {name: value.float().numpy() for name, value in tensors.items()}


def layers(config):
    return config.num_hidden_layers


def names(architecture, count):
    """GGUF names to Hugging Face names, by the gguf package's own table."""
    number = {v: k for k, v in gguf.MODEL_ARCH_NAMES.items()}[architecture]
    return gguf.get_tensor_name_map(number, count)


def gguf_name(table, name):
    found = table.get_name(name.removeprefix("bert."), try_suffixes=(".weight", ".bias"))
    assert found, f"the gguf package knows no place for {name}"
    return found


def interleaved(value, heads):
    return value.reshape(heads, 2, value.shape[0] // heads // 2, *value.shape[1:]).swapaxes(1, 2).reshape(value.shape)


def as_gguf(architecture, config, name, value):
    """The tensor in the layout of GGUF."""
    if architecture == "llama" and ".self_attn.q_proj." in name:
        return interleaved(value, config.num_attention_heads)
    if architecture == "llama" and ".self_attn.k_proj." in name:
        return interleaved(value, config.num_key_value_heads)
    if architecture == "gpt2" and name.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight")):
        return value.T
    return value


def read(path):
    reader = gguf.GGUFReader(path)
    return reader.fields["general.architecture"].contents(), {t.name: t for t in reader.tensors}


def decoded(tensor):
    return gguf.quants.dequantize(tensor.data, tensor.tensor_type)


def load(folder):
    config = transformers.AutoConfig.from_pretrained(folder)
    kind = getattr(transformers, config.architectures[0])
    model, report = kind.from_pretrained(folder, output_loading_info=True, torch_dtype=torch.float32)
    missing = [name for name in report["missing_keys"] if "pooler" not in name]
    assert not missing and not report["unexpected_keys"] and not report["mismatched_keys"], report
    return model.eval()


def folder(file, out):
    architecture, tensors = read(file)
    model = load(out)
    ours = folder_tensors(out)
    table = names(architecture, layers(model.config))
    for name, value in ours.items():
        theirs = decoded(tensors.pop(gguf_name(table, name)))
        mine = as_gguf(architecture, model.config, name, value)
        assert mine.shape == theirs.shape, (name, mine.shape, theirs.shape)
        assert numpy.array_equal(mine, theirs), name
    assert set(tensors) <= {"output.weight"}, list(tensors)
    tokenizer = transformers.AutoTokenizer.from_pretrained(out)
    ids = tokenizer("the play")["input_ids"]
    what = "loads the folder"
    with torch.no_grad():
        answer = model(torch.tensor([ids or [0]]))
        if architecture in ("llama", "qwen2"):  # what its own reader of GGUF knows
            path = pathlib.Path(file)
            theirs = transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name,
                                                                       torch_dtype=torch.float32)
            if model.config.tie_word_embeddings:
                theirs.lm_head.weight = theirs.model.embed_tokens.weight
            difference = (theirs.eval()(torch.tensor([ids])).logits - answer.logits).abs().max().item()
            assert difference <= 1e-5, difference
            what += f", logits as from the file itself (largest difference {difference:.1e})"
    print(f"{pathlib.Path(out).name}: {len(ours)} tensors are those of the gguf package; transformers {what}")


def file(source, out):
    architecture, tensors = read(out)
    model = load(source)
    table = names(architecture, layers(model.config))
    count = len(tensors)
    for name, value in folder_tensors(source).items():
        if name.endswith("position_ids") or "pooler.dense" in name:  # a buffer, and what GGUF has no place for
            continue
        tensor = tensors.pop(gguf_name(table, name))
        value = numpy.ascontiguousarray(as_gguf(architecture, model.config, name, value))
        expected = gguf.quants.quantize(value, tensor.tensor_type)
        assert numpy.array_equal(expected.view(numpy.uint8).ravel(), tensor.data.view(numpy.uint8).ravel()), name
    assert not tensors, list(tensors)
    print(f"{pathlib.Path(out).name}: {count} tensors are byte by byte those of the gguf package")


def adapted(base, adapter):
    model = transformers.BertForSequenceClassification.from_pretrained(base, attn_implementation="eager")
    return peft.PeftModel.from_pretrained(model, adapter).eval()


def largest_difference(reference, ours):
    worst = 0.0
    for seed in range(5):
        ids = torch.randint(5, 200, (1, 9 + seed), generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            worst = max(worst, (reference(ids).logits - ours(ids).logits).abs().max().item())
    return worst


def same(base, first, second):
    worst = largest_difference(adapted(base, first), adapted(base, second))
    assert worst <= 1e-6, worst
    print(f"{pathlib.Path(first).name}: read and written by us it is the same adapter to peft (difference {worst:.1e})")


def merged(base, adapter, out):
    worst = largest_difference(adapted(base, adapter), load(out))
    assert worst <= 1e-5, worst
    print(f"{pathlib.Path(out).name}: logits are those of peft (largest difference {worst:.1e})")


if __name__ == "__main__":
    {"folder": folder, "file": file, "merged": merged, "same": same}[sys.argv[1]](*sys.argv[2:])
