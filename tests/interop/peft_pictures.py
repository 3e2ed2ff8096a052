#!/usr/bin/env python3
"""`rootstock classify` on pictures against peft over transformers: peft_pictures.py BASE ADAPTER OURS.jsonl

OURS.jsonl is what `rootstock classify ADAPTER PICTURE... --json --fp32 --top N` printed: {"input", "labels": [{"label",
"probability"}]}. Every picture goes through the reference's own image processor and model; probabilities may differ by 1e-4.
"""
import json
import os
import pathlib
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import peft
import PIL.Image
import torch
import transformers

base, adapter, ours = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
labels = json.loads((adapter / "rootstock.json").read_text(encoding="utf-8"))["labels"]
transformers.logging.set_verbosity_error()
model, report = transformers.AutoModelForImageClassification.from_pretrained(
    base, num_labels=len(labels), ignore_mismatched_sizes=True, output_loading_info=True)
assert not report["unexpected_keys"], report
wanted = peft.get_peft_model_state_dict(peft.get_peft_model(model, peft.PeftConfig.from_pretrained(str(adapter))),
                                        save_embedding_layers=False)
found = peft.utils.save_and_load.load_peft_weights(str(adapter), device="cpu")
assert {k: v.shape for k, v in wanted.items()} == {k: v.shape for k, v in found.items()}, sorted(set(wanted) ^ set(found))
model = transformers.AutoModelForImageClassification.from_pretrained(base, num_labels=len(labels), ignore_mismatched_sizes=True)
model = peft.PeftModel.from_pretrained(model, str(adapter)).eval()
processor = transformers.ViTImageProcessor.from_pretrained(base)
worst = 0
lines = [json.loads(line) for line in open(ours, encoding="utf-8")]
assert lines
for line in lines:
    pixels = processor(PIL.Image.open(line["input"]).convert("RGB"), return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        theirs = model(pixel_values=pixels).logits[0].softmax(-1)
    mine = {one["label"]: one["probability"] for one in line["labels"]}
    worst = max(worst, max(abs(mine[label] - theirs[i].item()) for i, label in enumerate(labels)))
print(f"peft's probabilities of {len(lines)} pictures within {worst:.1e}")
assert worst <= 1e-4, worst
