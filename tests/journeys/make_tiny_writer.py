#!/usr/bin/env python3
"""A tiny language model with a chat template, in the files of transformers, for journeys that tune one.

    make_tiny_writer.py EXPORTED FOLDER

EXPORTED is tests/golden/gguf_llama.gguf exported as a folder: its byte-level tokenizer is taken, its weights are not.
"""
import json
import pathlib
import random
import shutil
import struct
import sys

VOCABULARY, WIDTH, INNER, HEADS, SHARED, LAYERS = 261, 32, 48, 4, 2, 2
TEMPLATE = ("{% for m in messages %}{{ '<|begin|>' + m['role'] + '\n' + m['content'] + '<|end|>\n' }}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|begin|>assistant\n' }}{% endif %}")


def shapes():
    yield "model.embed_tokens.weight", (VOCABULARY, WIDTH)
    yield "model.norm.weight", (WIDTH,)
    for layer in range(LAYERS):
        head = WIDTH // HEADS
        for name, shape in {"self_attn.q_proj": (WIDTH, WIDTH), "self_attn.k_proj": (SHARED * head, WIDTH),
                            "self_attn.v_proj": (SHARED * head, WIDTH), "self_attn.o_proj": (WIDTH, WIDTH),
                            "mlp.gate_proj": (INNER, WIDTH), "mlp.up_proj": (INNER, WIDTH),
                            "mlp.down_proj": (WIDTH, INNER), "input_layernorm": (WIDTH,),
                            "post_attention_layernorm": (WIDTH,)}.items():
            yield f"model.layers.{layer}.{name}.weight", shape


def write_weights(path):
    numbers = random.Random(7)
    header, data = {}, b""
    for name, shape in shapes():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        values = [1.0] * count if len(shape) == 1 else [numbers.gauss(0, 0.15) for _ in range(count)]
        packed = struct.pack(f"<{count}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    exported, folder = map(pathlib.Path, sys.argv[1:3])
    folder.mkdir()
    shutil.copy(exported / "tokenizer.json", folder)
    settings = json.loads((exported / "tokenizer_config.json").read_text())
    settings["chat_template"] = TEMPLATE
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": WIDTH,
        "intermediate_size": INNER, "num_attention_heads": HEADS, "num_key_value_heads": SHARED,
        "num_hidden_layers": LAYERS, "vocab_size": VOCABULARY, "max_position_embeddings": 256, "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0, "tie_word_embeddings": True, "bos_token_id": 259, "eos_token_id": 260}))
    write_weights(folder / "model.safetensors")


if __name__ == "__main__":
    main()
