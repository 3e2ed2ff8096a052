#!/usr/bin/env python3
"""Tiny models in GGUF files, one of each architecture we map, written with the gguf package as llama.cpp's converter does.

    build/golden-env/bin/python tests/golden/make_gguf_models_golden.py

writes gguf_ARCHITECTURE.gguf. Every number is known without a file: element i of a tensor whose Hugging Face name has n
characters is ((7 i + 13 n) mod 255 - 127) / 64, which fp16 holds exactly. The llama file is loaded by transformers' own
GGUF reader, which must find those numbers.
"""
import os
import pathlib

os.environ["HF_HUB_OFFLINE"] = "1"

import gguf
import numpy
import torch
import transformers

HERE = pathlib.Path(__file__).resolve().parent
LAYERS, WIDTH, HEADS, SHARED, INNER, LENGTH = 2, 32, 4, 2, 64, 48


def known(name, *shape):
    count = int(numpy.prod(shape))
    values = ((7 * numpy.arange(count) + 13 * len(name)) % 255 - 127) / 64
    return values.astype(numpy.float32).reshape(shape)


def interleaved(weight, heads):
    """Rows of a head: halves one after the other become pairs."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def byte_vocabulary():
    """The 256 characters of byte-level BPE, three merges and two control tokens."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    characters = {byte: chr(byte) for byte in visible}
    for byte in range(256):
        if byte not in characters:
            characters[byte] = chr(256 + len(characters) - len(visible))
    tokens = [characters[byte] for byte in range(256)] + ["he", "ll", "hell", "<|begin|>", "<|end|>"]
    return tokens, [1] * 259 + [3, 3], ["h e", "l l", "he ll"]


def add_bpe(writer, pre):
    tokens, types, merges = byte_vocabulary()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(259)
    writer.add_eos_token_id(260)
    writer.add_chat_template("{{ messages[0]['content'] }}")
    return len(tokens)


def add_wordpiece(writer):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", "the", "##ing", "##s", "play"]
    types = [3, 2, 3, 3, 3] + [1] * (len(words) - 5)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([w if w.startswith("[") else w[2:] if w.startswith("##") else "\u2581" + w for w in words])
    writer.add_token_types(types)
    for name, place in (("bos", 2), ("unk", 1), ("sep", 3), ("pad", 0), ("mask", 4)):
        getattr(writer, f"add_{name}_token_id")(place)
    return len(words)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def start(architecture):
    writer = gguf.GGUFWriter(HERE / f"gguf_{architecture}.gguf", architecture)
    writer.add_name("tiny")
    writer.add_context_length(LENGTH)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    return writer


def add(writer, name, value):
    writer.add_tensor(name, value.astype(numpy.float16) if value.ndim == 2 else value)


def llama(architecture):
    writer = start(architecture)
    writer.add_head_count_kv(SHARED)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(100000.0)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    rows = add_bpe(writer, "smollm" if architecture == "llama" else "qwen2")
    turned = (lambda w, h: interleaved(w, h)) if architecture == "llama" else (lambda w, h: w)
    add(writer, "token_embd.weight", known("model.embed_tokens.weight", rows, WIDTH))
    add(writer, "output_norm.weight", known("model.norm.weight", WIDTH))
    if architecture == "qwen2":
        add(writer, "output.weight", known("lm_head.weight", rows, WIDTH))
    few = WIDTH // HEADS * SHARED
    for n in range(LAYERS):
        at = f"model.layers.{n}."
        maps = {"attn_q": ("self_attn.q_proj", WIDTH, WIDTH), "attn_k": ("self_attn.k_proj", few, WIDTH),
                "attn_v": ("self_attn.v_proj", few, WIDTH), "attn_output": ("self_attn.o_proj", WIDTH, WIDTH),
                "ffn_gate": ("mlp.gate_proj", INNER, WIDTH), "ffn_up": ("mlp.up_proj", INNER, WIDTH),
                "ffn_down": ("mlp.down_proj", WIDTH, INNER)}
        for short, (long, *shape) in maps.items():
            value = known(f"{at}{long}.weight", *shape)
            heads = {"attn_q": HEADS, "attn_k": SHARED}.get(short)
            add(writer, f"blk.{n}.{short}.weight", turned(value, heads) if heads else value)
            if architecture == "qwen2" and short in ("attn_q", "attn_k", "attn_v"):
                add(writer, f"blk.{n}.{short}.bias", known(f"{at}{long}.bias", shape[0]))
        add(writer, f"blk.{n}.attn_norm.weight", known(f"{at}input_layernorm.weight", WIDTH))
        add(writer, f"blk.{n}.ffn_norm.weight", known(f"{at}post_attention_layernorm.weight", WIDTH))
    finish(writer)


def gpt2():
    writer = start("gpt2")
    writer.add_layer_norm_eps(1e-5)
    rows = add_bpe(writer, "gpt-2")
    table = known("transformer.wte.weight", rows, WIDTH)
    add(writer, "token_embd.weight", table)
    add(writer, "output.weight", table)
    writer.add_tensor("position_embd.weight", known("transformer.wpe.weight", LENGTH, WIDTH))
    for part in ("weight", "bias"):
        add(writer, f"output_norm.{part}", known(f"transformer.ln_f.{part}", WIDTH))
        for n in range(LAYERS):
            add(writer, f"blk.{n}.attn_norm.{part}", known(f"transformer.h.{n}.ln_1.{part}", WIDTH))
            add(writer, f"blk.{n}.ffn_norm.{part}", known(f"transformer.h.{n}.ln_2.{part}", WIDTH))
    for n in range(LAYERS):
        for short, long, inside, out in (("attn_qkv", "attn.c_attn", WIDTH, 3 * WIDTH),
                                         ("attn_output", "attn.c_proj", WIDTH, WIDTH),
                                         ("ffn_up", "mlp.c_fc", WIDTH, INNER), ("ffn_down", "mlp.c_proj", INNER, WIDTH)):
            name = f"transformer.h.{n}.{long}"
            add(writer, f"blk.{n}.{short}.weight", numpy.ascontiguousarray(known(f"{name}.weight", inside, out).T))
            add(writer, f"blk.{n}.{short}.bias", known(f"{name}.bias", out))
    finish(writer)


def bert():
    writer = start("bert")
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    rows = add_wordpiece(writer)
    at = "bert.embeddings."
    add(writer, "token_embd.weight", known(f"{at}word_embeddings.weight", rows, WIDTH))
    writer.add_tensor("position_embd.weight", known(f"{at}position_embeddings.weight", LENGTH, WIDTH))
    writer.add_tensor("token_types.weight", known(f"{at}token_type_embeddings.weight", 2, WIDTH))
    for part in ("weight", "bias"):
        add(writer, f"token_embd_norm.{part}", known(f"{at}LayerNorm.{part}", WIDTH))
    for n in range(LAYERS):
        for short, long, out, inside in (("attn_q", "attention.self.query", WIDTH, WIDTH),
                                         ("attn_k", "attention.self.key", WIDTH, WIDTH),
                                         ("attn_v", "attention.self.value", WIDTH, WIDTH),
                                         ("attn_output", "attention.output.dense", WIDTH, WIDTH),
                                         ("ffn_up", "intermediate.dense", INNER, WIDTH),
                                         ("ffn_down", "output.dense", WIDTH, INNER)):
            name = f"bert.encoder.layer.{n}.{long}"
            add(writer, f"blk.{n}.{short}.weight", known(f"{name}.weight", out, inside))
            add(writer, f"blk.{n}.{short}.bias", known(f"{name}.bias", out))
        for part in ("weight", "bias"):
            for short, long in (("attn_output_norm", "attention.output.LayerNorm"), ("layer_output_norm", "output.LayerNorm")):
                add(writer, f"blk.{n}.{short}.{part}", known(f"bert.encoder.layer.{n}.{long}.{part}", WIDTH))
    finish(writer)


def verify():
    for architecture in ("llama", "qwen2"):
        state = transformers.AutoModelForCausalLM.from_pretrained(
            str(HERE), gguf_file=f"gguf_{architecture}.gguf", torch_dtype=torch.float32).state_dict()
        for name, value in state.items():
            if name == "lm_head.weight" and architecture == "llama":
                continue  # tied
            assert numpy.array_equal(value.numpy(), known(name, *value.shape)), name
        print(architecture, len(state), "tensors are those that transformers reads")


def main():
    llama("llama")
    llama("qwen2")
    gpt2()
    bert()
    verify()


if __name__ == "__main__":
    main()
