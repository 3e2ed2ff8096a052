#!/usr/bin/env python3
"""The fine-tuning peer: the recipe that tutorials teach, as people run it.

transformers' Trainer, peft's LoRA on AutoModelForSequenceClassification, every text padded to
128 tokens, fp32, AdamW with linear decay, batch 32, all cores.

    build/peers-env/bin/python bench/peers/finetune_peer.py --model FOLDER --train CSV --test CSV
    build/peers-env/bin/python bench/peers/finetune_peer.py --model FOLDER --train CSV --steps 20

With --steps the speed is measured over that many steps after 5 steps to warm up, and the run ends;
without, it trains for --epochs and measures the accuracy on --test. Prints one JSON object:

    examples_per_s   over the measured steps: batches built, forward, backward, optimiser
    seconds          of those steps; train_seconds and test_seconds of the whole run
    accuracy         on the test rows, after a full run only
    peak_rss_mb      of the process
"""
import argparse
import csv
import json
import os
import resource
import tempfile
import time
import warnings

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import numpy
import peft
import torch
import transformers

WARM_UP_STEPS = 5
BATCH = 32
TOKENS_MAX = 128


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--train", required=True)
    parser.add_argument("--test")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--label-column", default="category")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--alpha", type=float, default=16)
    parser.add_argument("--targets", default="query,value")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--pad", choices=("max_length", "longest"), default="max_length")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser.parse_args()


def read_rows(path, text, label):
    with open(path, encoding="utf-8", newline="") as file:
        return [(row[text], row[label]) for row in csv.DictReader(file)]


def encode(rows, labels, tokenizer, pad):
    number = {label: i for i, label in enumerate(labels)}
    padding = "max_length" if pad == "max_length" else False
    encoded = tokenizer([t for t, _ in rows], truncation=True, max_length=TOKENS_MAX, padding=padding)
    return [{"input_ids": ids, "attention_mask": mask, "labels": number[label]}
            for ids, mask, (_, label) in zip(encoded["input_ids"], encoded["attention_mask"], rows)]


class StepClock(transformers.TrainerCallback):
    """Notes the time at the end of each step; stops the run after the measured ones, if there is a number."""

    def __init__(self, steps):
        self.steps, self.ends = steps, []

    def on_step_end(self, args, state, control, **kwargs):
        self.ends.append(time.perf_counter())
        if self.steps and len(self.ends) >= WARM_UP_STEPS + self.steps:
            control.should_training_stop = True

    def measured(self):
        """Steps and seconds after the warm-up."""
        begin = min(WARM_UP_STEPS, len(self.ends) - 1)
        return len(self.ends) - begin, self.ends[-1] - self.ends[begin - 1]


def adapted_model(options, classes):
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        options.model, num_labels=classes, dtype=torch.float32)
    return peft.get_peft_model(model, peft.LoraConfig(
        task_type="SEQ_CLS", r=options.rank, lora_alpha=options.alpha, lora_dropout=options.dropout,
        target_modules=options.targets.split(",")))


def training_arguments(options, folder):
    return transformers.TrainingArguments(
        output_dir=folder, per_device_train_batch_size=BATCH, per_device_eval_batch_size=BATCH,
        learning_rate=options.lr, lr_scheduler_type="linear", optim="adamw_torch",
        num_train_epochs=options.epochs, use_cpu=True, seed=options.seed, save_strategy="no", eval_strategy="no",
        logging_steps=50, report_to=[], disable_tqdm=True, dataloader_pin_memory=False)


def accuracy(trainer, rows):
    begin = time.perf_counter()
    output = trainer.predict(rows)
    hits = numpy.argmax(output.predictions, axis=1) == output.label_ids
    return float(hits.mean()), time.perf_counter() - begin


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    transformers.set_seed(options.seed)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.simplefilter("ignore")
    rows = read_rows(options.train, options.text_column, options.label_column)
    labels = sorted({label for _, label in rows})
    tokenizer = transformers.AutoTokenizer.from_pretrained(options.model)
    model = adapted_model(options, len(labels))
    clock = StepClock(options.steps)
    scratch = tempfile.TemporaryDirectory()
    trainer = transformers.Trainer(
        model=model, args=training_arguments(options, scratch.name),
        train_dataset=encode(rows, labels, tokenizer, options.pad),
        data_collator=transformers.DataCollatorWithPadding(tokenizer) if options.pad == "longest"
        else transformers.default_data_collator,
        callbacks=[clock])

    begin = time.perf_counter()
    trainer.train()
    train_seconds = time.perf_counter() - begin
    steps, seconds = clock.measured()
    result = {
        "peer": f"transformers {transformers.__version__}, peft {peft.__version__}, torch {torch.__version__}",
        "pad": options.pad, "rank": options.rank, "targets": options.targets, "threads": options.threads,
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "steps": steps, "seconds": round(seconds, 3), "examples_per_s": round(steps * BATCH / seconds, 2),
        "train_seconds": round(train_seconds, 1)}
    if not options.steps and options.test:
        test = read_rows(options.test, options.text_column, options.label_column)
        share, test_seconds = accuracy(trainer, encode(test, labels, tokenizer, options.pad))
        result.update(epochs=options.epochs, accuracy=round(share, 5), test_seconds=round(test_seconds, 1))
    result["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(result))


if __name__ == "__main__":
    main()
