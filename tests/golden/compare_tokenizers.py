#!/usr/bin/env python3
"""Compares `rootstock tokenizer` with the reference library (Hugging Face tokenizers), text by text: ids, ids with
special tokens, tokens, character offsets and decoded text. Every tokenizer under SHARED/tokenizers and every small one
of --small, on every text of the shared data sets and on hard cases. Prints each difference; exit code 1 if there is one.

  compare_tokenizers.py --rootstock build/release/bin/rootstock --shared DATA [--small tests/golden/tokenizers]
                        [--only gpt2,qwen3] [--every 1]
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from tokenizer_texts import hard_texts, shared_texts


def reference_of(folder):
    """The reference's tokenizer of a folder, as transformers would put it together."""
    if (folder / "tokenizer.json").exists():
        made = Tokenizer.from_file(str(folder / "tokenizer.json"))
        made.no_truncation()
        made.no_padding()
        return made
    if (folder / "merges.txt").exists():
        made = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
        made.add_special_tokens([tokenizers.AddedToken("<|endoftext|>", special=True, normalized=False)])
        return made
    if (folder / "vocab.txt").exists():
        from tokenizers.implementations import BertWordPieceTokenizer
        made = BertWordPieceTokenizer(str(folder / "vocab.txt"))._tokenizer
        made.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
            special_tokens=[("[CLS]", made.token_to_id("[CLS]")), ("[SEP]", made.token_to_id("[SEP]"))])
        return made
    return None


def ours(program, model, texts, work):
    source = work / "texts.jsonl"
    with open(source, "w", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps({"text": text}) + "\n")
    run = subprocess.run([program, "tokenizer", "encode", "--model", model, "--jsonl", source], capture_output=True)
    if run.returncode:
        sys.exit(f"{model}: {run.stderr.decode()}")
    encoded = run.stdout
    (work / "ids.jsonl").write_bytes(encoded)
    run = subprocess.run([program, "tokenizer", "decode", "--model", model, work / "ids.jsonl"], capture_output=True)
    if run.returncode:
        sys.exit(f"{model}: {run.stderr.decode()}")
    return [json.loads(line) for line in encoded.splitlines()], [json.loads(line)["text"] for line in run.stdout.splitlines()]


def compare(name, reference, program, model, texts, work, shown=6):
    differences = tokens = 0
    encoded, decoded = ours(program, model, texts, work)
    assert len(encoded) == len(texts) == len(decoded), (name, len(encoded), len(texts), len(decoded))
    for text, one, back in zip(texts, encoded, decoded):
        bare = reference.encode(text, add_special_tokens=False)
        theirs = {"ids": bare.ids, "ids_with_specials": reference.encode(text).ids, "tokens": bare.tokens,
                  "offsets": [list(pair) for pair in bare.offsets]}
        tokens += len(bare.ids)
        wrong = [key for key in theirs if theirs[key] != one[key]]
        if not wrong and reference.decode(bare.ids) != back:
            wrong = ["decoded"]
        if wrong:
            differences += 1
            if differences <= shown:
                key = wrong[0]
                print(f"{name}: {wrong} of {text[:200]!r}")
                if key == "decoded":
                    print("   theirs", repr(reference.decode(bare.ids))[:300], "\n   ours  ", repr(back)[:300])
                else:
                    at = next((i for i, (a, b) in enumerate(zip(theirs[key], one[key])) if a != b), 0)
                    at = max(at - 2, 0)
                    print("   theirs", theirs[key][at:at + 8], theirs["tokens"][at:at + 8], "\n   ours  ", one[key][at:at + 8], one["tokens"][at:at + 8])
    print(f"{name}: {len(texts)} texts, {tokens} tokens, {differences} differences", flush=True)
    return differences


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rootstock", required=True)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--small", type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--every", type=int, default=1, help="of the shared texts, take every n-th")
    options = parser.parse_args()
    print("reference: tokenizers", tokenizers.__version__)
    wanted = set(filter(None, options.only.split(",")))
    texts = hard_texts() + list(shared_texts(options.shared))[::options.every]
    differences = 0
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        folders = sorted((options.shared / "tokenizers").iterdir())
        for folder in folders:
            reference = reference_of(folder)
            if reference is None or (wanted and folder.name not in wanted):
                continue
            differences += compare(folder.name, reference, options.rootstock, folder, texts, work)
        for file in sorted(options.small.glob("*.json")) if options.small else []:
            if wanted and file.stem not in wanted:
                continue
            reference = Tokenizer.from_file(str(file))
            differences += compare(file.stem, reference, options.rootstock, file, texts, work)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
