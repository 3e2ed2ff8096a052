#!/usr/bin/env python3
"""LoRA adapter folders written by the peft library over tiny_bert, and the logits they give.

    build/golden-env/bin/python tests/golden/make_peft_golden.py      (after make_bert_tiny_golden.py)

writes per adapter tests/golden/peft_NAME/
    adapter_config.json, adapter_model.safetensors   by PeftModel.save_pretrained
    logits.json   {"base", "sequences": [[id..]..], "logits": [[f32..]..], "scaling": {module: s}}

What the adapter means: logits = classifier(pooler(encoder(ids)[first token])), where the encoder's
target modules are W + s*B*A, the pooler is the base's and the classifier is the adapter's own
(modules_to_save). All adapter tensors are random, B too.

Further classifiers of other families on bases that have none (after make_family_golden.py): all of
the classifier is the adapter's, the dense map before its last one too.
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


# Folder of families/, what is adapted, and where the classifier stands.
HEADS = {
    "roberta": ("roberta_masked", ["query", "output.dense"], ["classifier"]),
    "distilbert": ("distilbert_masked", ["q_lin", "lin2"], ["classifier", "pre_classifier"]),
    "t5": ("t5", ["q", "v", "wo"], ["classification_head"]),
    "llama": ("llama", ["q_proj", "up_proj"], ["score"]),
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


def head_base(folder):
    base = transformers.AutoModelForSequenceClassification.from_pretrained(
        HERE / "families" / folder, num_labels=3, attn_implementation="eager")
    base.name_or_path = folder
    return base


def head_sequences(folder):
    rows = safetensors.torch.load_file(HERE / "families" / folder / "golden.safetensors")
    rows = [rows[f"ids.{n}"].tolist() for n in range(4)]
    return [ids[:-1] + [1] for ids in rows] if folder == "t5" else rows  # its classifier reads the end token


def write_head(name):
    folder, targets, saved = HEADS[name]
    torch.manual_seed(SEED)
    config = peft.LoraConfig(task_type="SEQ_CLS", r=3, lora_alpha=6, target_modules=targets, modules_to_save=saved)
    model = peft.get_peft_model(head_base(folder), config)
    for parameter_name, parameter in model.named_parameters():
        if "lora_" in parameter_name or "modules_to_save" in parameter_name:
            parameter.data.normal_(0.0, 0.3)
    model.eval()
    place = HERE / f"peft_{name}"
    shutil.rmtree(place, ignore_errors=True)
    model.save_pretrained(place, save_embedding_layers=False)
    (place / "README.md").unlink(missing_ok=True)
    sort_targets(place / "adapter_config.json")
    rows = head_sequences(folder)
    again = peft.PeftModel.from_pretrained(head_base(folder), place).eval()
    found = [logits(model, ids) for ids in rows]
    assert all((logits(again, ids) - one).abs().max() < 1e-6 for ids, one in zip(rows, found))
    golden = {"base": f"families/{folder}",
              "made_with": {"peft": peft.__version__, "transformers": transformers.__version__},
              "sequences": rows, "logits": [one.tolist() for one in found]}
    (place / "logits.json").write_text(json.dumps(golden, indent=1) + "\n")


def main():
    for name in HEADS:
        write_head(name)
    for name, options in ADAPTERS.items():
        write(name, adapted(options))
        verify(name)


if __name__ == "__main__":
    main()
