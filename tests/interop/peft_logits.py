#!/usr/bin/env python3
"""Runs an adapter folder that Rootstock wrote with the real peft library.

    build/golden-env/bin/python tests/interop/peft_logits.py --base FOLDER --adapter FOLDER --ids FILE.jsonl

The adapter folder holds adapter_config.json and adapter_model.safetensors (read by peft, over
transformers' classifier or causal language model of the base's family, as task_type says) and
rootstock.json, whose "labels" say how many classes there are. For each input line {"ids":[...]}
one line {"logits":[...]} is printed: of the classes, or of the vocabulary behind the last id.
Leaves with 1 and a message when a tensor is missing, unexpected or of the wrong shape, in the
adapter or in the base (where only the classifier may be missing).
"""
import argparse
import json
import os
import pathlib
import sys
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"

import peft
import safetensors
import safetensors.torch
import torch
import transformers


class Refused(Exception):
    pass


def label_count(adapter):
    description = json.loads((adapter / "rootstock.json").read_text(encoding="utf-8"))
    labels = description.get("labels")
    if not isinstance(labels, list) or not labels:
        raise Refused('rootstock.json has no list "labels"')
    return len(labels)


def load_base(folder, labels):
    """With 0 labels a language model, head included."""
    options = dict(attn_implementation="eager", output_loading_info=True)
    if labels:
        model, report = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=labels, ignore_mismatched_sizes=True, **options)
    else:
        model, report = transformers.AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32, **options)
    heads = ("classifier.", "score.", "pre_classifier.", "classification_head.") if labels else ()
    others = ("lm_head.", "cls.", "vocab_") if labels else ()  # of a base that was saved for another task
    missing = [k for k in report["missing_keys"] if not k.startswith(heads)]
    unexpected = [k for k in report["unexpected_keys"] if not k.endswith("position_ids") and not k.startswith(others)]
    mismatched = [k for k, *_ in report["mismatched_keys"] if not k.startswith(heads)]
    if missing or unexpected or mismatched:
        raise Refused(f"base: missing {missing}, unexpected {unexpected}, wrong shape {mismatched}")
    return model


def check_file_header(path):
    with safetensors.safe_open(path, framework="pt") as file:
        if (file.metadata() or {}).get("format") != "pt":
            raise Refused('adapter_model.safetensors lacks the metadata {"format":"pt"}')


def wanted_state(model):
    return peft.get_peft_model_state_dict(model, save_embedding_layers=False)


def check_keys(model, path):
    """Compares the file with what peft itself would save for this configuration, name by name."""
    found = {k: tuple(v.shape) for k, v in safetensors.torch.load_file(path).items()}
    wanted = {k: tuple(v.shape) for k, v in wanted_state(model).items()}
    missing, unexpected = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    shapes = [f"{k}: {found[k]} instead of {wanted[k]}" for k in sorted(wanted.keys() & found.keys())
              if wanted[k] != found[k]]
    if missing or unexpected or shapes:
        raise Refused(f"adapter: missing {missing}, unexpected {unexpected}, wrong shape {shapes}")


def check_adapted(base, config):
    """A target that names no module of the base would be passed over in silence."""
    names = [name for name, _ in base.named_modules()]
    targets = config.target_modules
    if isinstance(targets, str):
        return
    lost = [t for t in targets if not any(n == t or n.endswith("." + t) for n in names)]
    if lost:
        raise Refused(f"adapter: target_modules {lost} name nothing in the base")


def load(base_folder, adapter):
    weights = adapter / "adapter_model.safetensors"
    check_file_header(weights)
    config = peft.PeftConfig.from_pretrained(str(adapter))
    if config.task_type not in ("SEQ_CLS", "CAUSAL_LM"):
        raise Refused(f"adapter_config.json has task_type {config.task_type}, neither SEQ_CLS nor CAUSAL_LM")
    labels = label_count(adapter) if config.task_type == "SEQ_CLS" else 0
    base = load_base(base_folder, labels)
    check_adapted(base, config)
    check_keys(peft.get_peft_model(load_base(base_folder, labels), config), weights)
    return peft.PeftModel.from_pretrained(base, str(adapter)).eval()


def answer(model, lines):
    for line in lines:
        if line.strip():
            with torch.no_grad():
                logits = model(torch.tensor([json.loads(line)["ids"]])).logits[0]
            print(json.dumps({"logits": (logits if logits.dim() == 1 else logits[-1]).tolist()}))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--base", required=True)
    arguments.add_argument("--adapter", required=True, type=pathlib.Path)
    arguments.add_argument("--ids", required=True, type=argparse.FileType("r", encoding="utf-8"))
    options = arguments.parse_args()
    transformers.logging.set_verbosity_error()
    warnings.filterwarnings("ignore", message=".*base_model_name_or_path.*renamed")
    try:
        answer(load(options.base, options.adapter), options.ids)
    except (Refused, OSError, ValueError, KeyError, RuntimeError, safetensors.SafetensorError) as problem:
        sys.exit(f"peft_logits: {problem}")


if __name__ == "__main__":
    main()
