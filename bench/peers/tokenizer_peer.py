#!/usr/bin/env python3
"""The reference library's tokens a second on one core: tokenizer_peer.py TOKENIZER TEXT [SECONDS].

TOKENIZER is a tokenizer.json, or a folder with one, with vocab.txt, or with vocab.json and merges.txt. Lines are given
to encode_batch, its fastest call, with its threads switched off.
"""
import json
import os
import pathlib
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: E402
from tokenizers.implementations import BertWordPieceTokenizer  # noqa: E402


def load(path):
    if path.is_file():
        return Tokenizer.from_file(str(path))
    if (path / "tokenizer.json").exists():
        return Tokenizer.from_file(str(path / "tokenizer.json"))
    if (path / "vocab.txt").exists():
        return BertWordPieceTokenizer(str(path / "vocab.txt"))._tokenizer
    made = Tokenizer(models.BPE.from_file(str(path / "vocab.json"), str(path / "merges.txt")))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return made


def main():
    tokenizer = load(pathlib.Path(sys.argv[1]))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    lines = [line for line in pathlib.Path(sys.argv[2]).read_bytes().decode("utf-8").split("\n") if line]
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 3
    encode = getattr(tokenizer, "encode_batch_fast", tokenizer.encode_batch)
    tokens = size = 0
    in_bytes = sum(len(line.encode()) for line in lines)
    start = time.monotonic()
    while True:
        for begin in range(0, len(lines), 1000):
            tokens += sum(len(one) for one in encode(lines[begin:begin + 1000]))
        size += in_bytes
        wall = time.monotonic() - start
        if wall >= seconds:
            break
    print(json.dumps({"tokens_per_s": round(tokens / wall), "mb_per_s": round(size / wall / 1e6, 2)}))


if __name__ == "__main__":
    main()
