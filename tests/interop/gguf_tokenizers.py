#!/usr/bin/env python3
"""Tokenizers in GGUF files, compared through the reference library.

    gguf_tokenizers.py texts TOKENIZER.json FOLDER [VOCABULARY]   ids of FOLDER/expected.jsonl and VOCABULARY.inp/.out
    gguf_tokenizers.py fold FOLDER OUT.gguf                       a GGUF file of FOLDER's own vocabulary
"""
import json
import pathlib
import sys

import gguf
import tokenizers


def own_texts(folder):
    for line in (folder / "expected.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield row["text"], row["ids"], row.get("ids_with_special")


def llama_cpp_texts(vocabulary):
    texts = pathlib.Path(vocabulary + ".inp").read_text(encoding="utf-8").split("\n__ggml_vocab_test__\n")[:-1]
    ids = pathlib.Path(vocabulary + ".out").read_text().split("\n")
    for text, line in zip(texts, ids):
        yield text, [int(word) for word in line.split()], None


def compare(tokenizer, rows, what):
    wrong = count = 0
    for text, ids, with_special in rows:
        count += 1
        ours = tokenizer.encode(text, add_special_tokens=False).ids
        special = tokenizer.encode(text).ids
        if ours != ids or (with_special is not None and special != with_special):
            wrong += 1
            print(f"{what}: {text!r}\n  ours   {ours} {special}\n  theirs {ids} {with_special}", file=sys.stderr)
    print(f"{what}: {count - wrong} of {count} texts have the same ids")
    return wrong


def texts(path, folder, vocabulary=""):
    tokenizer = tokenizers.Tokenizer.from_file(path)
    folder = pathlib.Path(folder)
    skip_special = folder.name == "phi-3-mini"  # its GGUF adds <s>, its tokenizer.json does not
    rows = ((t, i, None if skip_special else s) for t, i, s in own_texts(folder))
    wrong = compare(tokenizer, rows, f"{folder.name}, the model's own")
    if vocabulary:
        wrong += compare(tokenizer, llama_cpp_texts(vocabulary), f"{folder.name}, llama.cpp's")
    sys.exit(1 if wrong else 0)


def fold(folder, out):
    folder = pathlib.Path(folder)
    writer = gguf.GGUFWriter(out, "bert" if (folder / "vocab.txt").exists() else "llama")
    if (folder / "vocab.txt").exists():
        words = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
        writer.add_tokenizer_model("bert")
        writer.add_tokenizer_pre("default")
        writer.add_token_list([w if w[0] == "[" and w[-1] == "]" else w[2:] if w.startswith("##") else "\u2581" + w
                               for w in words])
        writer.add_token_types([3 if w in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]") else 1 for w in words])
        for name in ("unk", "sep", "pad", "mask"):
            getattr(writer, f"add_{name}_token_id")(words.index(f"[{name.upper()}]"))
        writer.add_bos_token_id(words.index("[CLS]"))
    else:
        whole = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        words = {i: w for w, i in whole["model"]["vocab"].items()}
        added = {token["id"]: token for token in whole["added_tokens"]}
        words.update({i: token["content"] for i, token in added.items()})
        count = max(words) + 1
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("roberta-bpe" if folder.name.startswith("roberta") else "qwen2")
        writer.add_token_list([words.get(i, f"[PAD{i}]") for i in range(count)])
        writer.add_token_types([5 if i not in words else 1 if i not in added else 3 if added[i]["special"] else 4
                                for i in range(count)])
        writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in whole["model"]["merges"]])
        if folder.name.startswith("roberta"):
            writer.add_bos_token_id(0)
            writer.add_eos_token_id(2)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    {"texts": texts, "fold": fold}[sys.argv[1]](*sys.argv[2:])
