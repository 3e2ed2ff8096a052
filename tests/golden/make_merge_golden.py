#!/usr/bin/env python3
"""Adapters by the peft library and the models that its merge_and_unload makes of them.

    build/golden-env/bin/python tests/golden/make_merge_golden.py      (after make_bert_tiny_golden.py)

writes per case tests/golden/merge_NAME/
    adapter_config.json, adapter_model.safetensors   by PeftModel.save_pretrained; all tensors random, B too
    merged.safetensors                               the tensors that merging changed or added, by their names afterwards
and tests/golden/tiny_gpt2/ (config.json, model.safetensors), whose linear maps stand as [in, out].
"""
import json
import os
import pathlib
import shutil

os.environ["HF_HUB_OFFLINE"] = "1"

import peft
import safetensors.torch
import torch
import transformers

HERE = pathlib.Path(__file__).resolve().parent

CASES = {
    "lora_layers": ("tiny_bert", dict(r=3, lora_alpha=7, target_modules=["query", "value", "dense"],
                                      layers_to_transform=[1], layers_pattern="layer")),
    "lora_saved": ("tiny_bert", dict(r=2, lora_alpha=5, target_modules=["key"], modules_to_save=["classifier", "pooler"])),
    "dora_patterns": ("tiny_bert", dict(r=4, lora_alpha=8, use_dora=True, use_rslora=True,
                                        target_modules=["query", "attention.output.dense", "intermediate.dense"],
                                        rank_pattern={"layer.0.attention.self.query": 2, "intermediate.dense": 6},
                                        alpha_pattern={"layer.1.attention.self.query": 3, "intermediate.dense": 5})),
    "gpt2_lora": ("tiny_gpt2", dict(r=4, lora_alpha=6, target_modules=["c_attn", "c_fc"], fan_in_fan_out=True)),
    "gpt2_dora": ("tiny_gpt2", dict(r=4, lora_alpha=6, use_dora=True, target_modules=["c_attn", "mlp.c_proj"],
                                    fan_in_fan_out=True)),
}


def make_gpt2():
    torch.manual_seed(5)
    config = transformers.GPT2Config(vocab_size=120, n_positions=32, n_embd=24, n_layer=2, n_head=3)
    model = transformers.GPT2LMHeadModel(config)
    for parameter in model.parameters():
        parameter.data.normal_(0.0, 0.1)
    shutil.rmtree(HERE / "tiny_gpt2", ignore_errors=True)
    model.save_pretrained(HERE / "tiny_gpt2")
    (HERE / "tiny_gpt2" / "generation_config.json").unlink()


def load_base(name):
    kind = transformers.BertForSequenceClassification if name == "tiny_bert" else transformers.GPT2LMHeadModel
    base = kind.from_pretrained(HERE / name, attn_implementation="eager")
    base.name_or_path = name  # peft writes this name into the adapter; a path of this machine must not get there
    return base


def adapted(name, options):
    task = "SEQ_CLS" if name == "tiny_bert" else "CAUSAL_LM"
    model = peft.get_peft_model(load_base(name), peft.LoraConfig(task_type=task, lora_dropout=0.0, **options))
    torch.manual_seed(7)
    for key, parameter in model.named_parameters():
        if "lora_A" in key or "lora_B" in key or "modules_to_save" in key:
            parameter.data.normal_(0.0, 0.3)
        if "lora_magnitude" in key:
            parameter.data.mul_(0.5 + torch.rand(parameter.shape))
    return model.eval()


def write(case, name, options):
    folder = HERE / f"merge_{case}"
    shutil.rmtree(folder, ignore_errors=True)
    model = adapted(name, options)
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    config["target_modules"].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True))
    before = {key: value.clone() for key, value in load_base(name).state_dict().items()}
    after = model.merge_and_unload().state_dict()
    changed = {key: value.contiguous().clone() for key, value in after.items()
               if key not in before or not torch.equal(value, before[key])}
    changed.pop("lm_head.weight", None)
    safetensors.torch.save_file(changed, folder / "merged.safetensors", metadata={"format": "pt"})
    print(case, len(changed), "tensors changed")


def main():
    make_gpt2()
    for case, (name, options) in CASES.items():
        write(case, name, options)


if __name__ == "__main__":
    main()
