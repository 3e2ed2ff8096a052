#!/usr/bin/env python3
"""Golden values of a BERT encoder, taken from transformers' BertModel in fp32.

    build/golden-env/bin/python tests/golden/make_bert_golden.py --model FOLDER [--data FOLDER]

picks 64 sentences of 3 to 120 tokens from the public-domain novels and writes beside itself
bert_sentences.json (texts, and where each number lies) and bert_hidden.safetensors.
"""
import argparse
import hashlib
import json
import pathlib
import re

import safetensors
import safetensors.torch
import tokenizers
import torch
import transformers

HERE = pathlib.Path(__file__).resolve().parent
COUNT, SHORTEST, LONGEST = 64, 3, 120

LAYOUT = {
    "ids.NN": "i32 [tokens], [CLS] and [SEP] included; NN is the place of the sentence, 00 to 63",
    "hidden.NN": "f32 [tokens, hidden], last hidden state, where stored is 'all'",
    "ends.NN": "f32 [2, hidden], last hidden state of the first and of the last token, where stored is 'ends'",
    "pooled": "f32 [64, hidden], tanh(pooler(hidden of [CLS]))",
    "embedding": "f32 [64, hidden], mean of the last hidden states over all tokens, then divided by its L2 norm",
}


def wanted_lengths():
    """More short than long ones, as in real traffic."""
    return [SHORTEST + round((LONGEST - SHORTEST) * (i / (COUNT - 1)) ** 1.5) for i in range(COUNT)]


def sentences_of(book):
    text = book.read_text(encoding="utf-8")
    for paragraph in re.split(r"\n\s*\n", text):
        flat = " ".join(paragraph.split())
        yield from re.split(r"(?<=[.!?])\s+(?=[A-Z\"\u201C])", flat)


def pick_sentences(tokenizer, folder):
    """For each wanted length the first sentence of that length, each time beginning at the next book."""
    shelves = []
    for book in sorted(folder.glob("*_*.txt")):
        sentences = [s for s in dict.fromkeys(sentences_of(book)) if re.search(r"[a-z]", s) and not s.isupper()]
        shelf = {}
        for sentence, encoding in zip(sentences, tokenizer.encode_batch(sentences)):
            shelf.setdefault(len(encoding.ids), []).append(sentence)
        shelves.append((book.name, shelf))
    picked = []
    for turn, length in enumerate(wanted_lengths()):
        used = {p["text"] for p in picked}
        order = shelves[turn % len(shelves):] + shelves[:turn % len(shelves)]
        book, text = next((name, s) for name, shelf in order for s in shelf.get(length, []) if s not in used)
        picked.append({"book": book, "text": text})
    return picked


def run(model, ids):
    with torch.no_grad():
        out = model(torch.tensor([ids]))
    return out.last_hidden_state[0], out.pooler_output[0]


def embed(hidden):
    return torch.nn.functional.normalize(hidden.mean(dim=0), dim=0)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", required=True)
    arguments.add_argument("--data", default=HERE.parents[2] / "shared" / "data", type=pathlib.Path)
    options = arguments.parse_args()

    tokenizer = tokenizers.Tokenizer.from_file(f"{options.model}/tokenizer.json")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    model = transformers.BertModel.from_pretrained(options.model, attn_implementation="eager").eval().float()
    twin = transformers.BertModel.from_pretrained(options.model, attn_implementation="eager").eval().double()

    sentences = pick_sentences(tokenizer, options.data / "text-en-novels")
    tensors, pooled, embeddings, rounding = {}, [], [], 0.0
    for place, sentence in enumerate(sentences):
        ids = tokenizer.encode(sentence["text"]).ids
        hidden, pool = run(model, ids)
        rounding = max(rounding, (hidden.double() - run(twin, ids)[0]).abs().max().item())
        sentence.update(tokens=len(ids), stored="all" if place % 8 in (0, 3, 6) else "ends")
        tensors[f"ids.{place:02d}"] = torch.tensor(ids, dtype=torch.int32)
        if sentence["stored"] == "all":
            tensors[f"hidden.{place:02d}"] = hidden.clone()
        else:
            tensors[f"ends.{place:02d}"] = hidden[[0, -1]].clone()
        pooled.append(pool)
        embeddings.append(embed(hidden))
    tensors["pooled"], tensors["embedding"] = torch.stack(pooled), torch.stack(embeddings)
    safetensors.torch.save_file(tensors, HERE / "bert_hidden.safetensors", metadata={"format": "pt"})

    weights = pathlib.Path(options.model) / "model.safetensors"
    description = {
        "file": "bert_hidden.safetensors",
        "layout": LAYOUT,
        "model": {"weights_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
                  "config": {k: getattr(model.config, k) for k in (
                      "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
                      "vocab_size", "hidden_act", "layer_norm_eps")}},
        "made_with": {"torch": torch.__version__, "transformers": transformers.__version__,
                      "tokenizers": tokenizers.__version__, "safetensors": safetensors.__version__,
                      "precision": "fp32, one sentence at a time, no padding, token types 0"},
        "largest_difference_to_fp64": rounding,
        "source": "public-domain novels, Project Gutenberg texts",
        "sentences": sentences,
    }
    (HERE / "bert_sentences.json").write_text(json.dumps(description, indent=1, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
