#!/usr/bin/env python3
"""The peer of tuning a language model: the recipe that tutorials teach, as people run it.

transformers' Trainer, peft's LoRA on AutoModelForCausalLM, labels -100 outside the assistant's words, fp32, AdamW with
linear decay, all cores. The rows are a job folder's train.jsonl (docs/formats/job-folder.md), so both sides learn from
the same tokens.

    build/peers-env/bin/python bench/peers/chat_peer.py --model FOLDER --rows train.jsonl --steps 10 --batch 8
        --pad longest      rows of a batch padded to its longest (the collator's way)
        --pad max_length   all rows padded to --max-length, as tutorials that tokenise beforehand do

Prints one JSON object: examples_per_s and tokens_per_s (padding not counted) over the measured steps, the loss of each
step, peak_rss_mb.
"""
import argparse
import json
import os
import resource
import tempfile
import time
import warnings

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import peft
import torch
import transformers

from finetune_peer import WARM_UP_STEPS, StepClock


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--rows", required=True)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--alpha", type=float, default=32)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--lr", type=float, default=4e-4)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--pad", choices=("longest", "max_length"), default="longest")
    parser.add_argument("--max-length", type=int, default=512)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser.parse_args()


def read_rows(path):
    rows = []
    for line in open(path, encoding="utf-8"):
        row = json.loads(line)
        labels = [-100] * len(row["ids"])
        for begin, end, _ in row["learn"]:
            labels[begin:end] = row["ids"][begin:end]
        rows.append({"input_ids": row["ids"], "labels": labels})
    return rows


class Collator:
    def __init__(self, options, pad_id):
        self.options, self.pad_id, self.tokens = options, pad_id, []

    def __call__(self, rows):
        longest = max(len(row["input_ids"]) for row in rows)
        length = max(longest, self.options.max_length) if self.options.pad == "max_length" else longest
        self.tokens.append(sum(len(row["input_ids"]) for row in rows))
        def padded(values, fill):
            return torch.tensor([v + [fill] * (length - len(v)) for v in values])
        return {"input_ids": padded([row["input_ids"] for row in rows], self.pad_id),
                "attention_mask": padded([[1] * len(row["input_ids"]) for row in rows], 0),
                "labels": padded([row["labels"] for row in rows], -100)}


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    transformers.set_seed(options.seed)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.simplefilter("ignore")
    base = transformers.AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    model = peft.get_peft_model(base, peft.LoraConfig(
        task_type="CAUSAL_LM", r=options.rank, lora_alpha=options.alpha, target_modules="all-linear"))
    clock = StepClock(options.steps)
    collator = Collator(options, base.config.pad_token_id or 0)
    scratch = tempfile.TemporaryDirectory()
    trainer = transformers.Trainer(
        model=model, train_dataset=read_rows(options.rows), data_collator=collator, callbacks=[clock],
        args=transformers.TrainingArguments(
            output_dir=scratch.name, per_device_train_batch_size=options.batch, learning_rate=options.lr,
            lr_scheduler_type="linear", optim="adamw_torch", num_train_epochs=3, use_cpu=True, seed=options.seed,
            save_strategy="no", eval_strategy="no", logging_steps=1, report_to=[], disable_tqdm=True,
            dataloader_pin_memory=False, remove_unused_columns=False))
    trainer.train()
    steps, seconds = clock.measured()
    tokens = sum(collator.tokens[WARM_UP_STEPS:WARM_UP_STEPS + steps])
    print(json.dumps({
        "peer": f"transformers {transformers.__version__}, peft {peft.__version__}, torch {torch.__version__}",
        "pad": options.pad, "rank": options.rank, "batch": options.batch, "threads": options.threads,
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "steps": steps, "seconds": round(seconds, 2), "examples_per_s": round(steps * options.batch / seconds, 3),
        "tokens_per_s": round(tokens / seconds, 1),
        "losses": [round(entry["loss"], 4) for entry in trainer.state.log_history if "loss" in entry],
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


if __name__ == "__main__":
    main()
