#!/usr/bin/env python3
"""LoRA adapter folders written by the peft library over tiny_bert, and the logits they give.

    build/golden-env/bin/python tests/golden/make_peft_golden.py      (after make_bert_tiny_golden.py)

writes per adapter tests/golden/peft_NAME/
    adapter_config.json, adapter_model.safetensors   by PeftModel.save_pretrained
    logits.json   {"base", "sequences": [[id..]..], "logits": [[f32..]..], "scaling": {module: s}}

What the adapter means: logits = classifier(pooler(encoder(ids)[first token])), where the encoder's
target modules are W + s*B*A, the pooler is the base's and the classifier is the adapter's own
(modules_to_save). All adapter tensors are random, B too.
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
BASE = "tiny_bert"
SEED = 7

ADAPTERS = {
    "query_value": dict(r=4, lora_alpha=8, target_modules=["query", "value"]),
    "rslora_all": dict(
        r=4, lora_alpha=6, use_rslora=True,
        target_modules=["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"],
        rank_pattern={"layer.0.attention.self.query": 2, "intermediate.dense": 8},
        alpha_pattern={"layer.1.attention.self.value": 3}),
}


def sequences():
    golden = safetensors.torch.load_file(HERE / "tiny_bert_golden.safetensors")
    return [golden[f"ids.{n}"].tolist() for n in range(len(golden["logits"]))]


def load_base():
    base = transformers.BertForSequenceClassification.from_pretrained(HERE / BASE, attn_implementation="eager")
    base.name_or_path = BASE  # peft writes this name into the adapter; a path of this machine must not get there
    return base


def adapted(options):
    base = load_base()
    config = peft.LoraConfig(task_type="SEQ_CLS", lora_dropout=0.1, bias="none", modules_to_save=["classifier"], **options)
    model = peft.get_peft_model(base, config)
    torch.manual_seed(SEED)
    for name, parameter in model.named_parameters():
        if "lora_" in name or "modules_to_save" in name:
            parameter.data.normal_(0.0, 0.3)
    return model.eval()


def scalings(model):
    """The factor s of each adapted module, by its name in the base."""
    return {name.removeprefix("base_model.model."): module.scaling["default"]
            for name, module in model.named_modules() if isinstance(module, peft.tuners.lora.LoraLayer)}


def logits(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0]


def sort_targets(path):
    """peft writes a set in no fixed order; sorted, the same run gives the same file."""
    config = json.loads(path.read_text())
    config["target_modules"].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True))


def write(name, model):
    folder = HERE / f"peft_{name}"
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    sort_targets(folder / "adapter_config.json")
    golden = {"base": BASE, "made_with": {"peft": peft.__version__, "transformers": transformers.__version__},
              "scaling": scalings(model), "sequences": sequences(),
              "logits": [logits(model, ids).tolist() for ids in sequences()]}
    (folder / "logits.json").write_text(json.dumps(golden, indent=1) + "\n")


def verify(name):
    """Loading the folder back gives the same numbers."""
    folder = HERE / f"peft_{name}"
    model = peft.PeftModel.from_pretrained(load_base(), folder).eval()
    golden = json.loads((folder / "logits.json").read_text())
    for ids, expected in zip(golden["sequences"], golden["logits"]):
        assert (logits(model, ids) - torch.tensor(expected)).abs().max() < 1e-6


def main():
    for name, options in ADAPTERS.items():
        write(name, adapted(options))
        verify(name)


if __name__ == "__main__":
    main()
