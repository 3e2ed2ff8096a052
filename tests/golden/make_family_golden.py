#!/usr/bin/env python3
"""Tiny random models of every family and option, and what transformers computes with them.

    build/golden-env/bin/python tests/golden/make_family_golden.py [NAME...]
    build/peers-env/bin/python tests/golden/make_family_golden.py      (of bench/peers/setup: transformers 5)

The second makes what transformers 4 cannot compute in its plain attention: windows from some layer on. It writes families/NAME/ for each variant below: config.json, model.safetensors (bf16; the
numbers were rounded to bf16 before anything was computed, so nothing is lost) and

    golden.safetensors
      ids.N        i32 [tokens]           one text each, N = 0, 1, ...; lengths grow
      types.N      i32 [tokens]           where the model has token types
      decoder.N    i32 [tokens]           what the decoder of T5 reads
      pixels.N     f32 [channel, y, x]    instead of ids for images
      hidden.N     f32 [tokens, width]    last hidden state, final norm included
      logits.N     f32 [classes], or [tokens, classes], [tokens, 2], [tokens, vocabulary]
      loss.N       f32 [1]                the reference's loss with labels.N
      labels.N     i32                    [1], [tokens], or [2] begin and end of a span
      grad.NAME    f32 [1 + elements]     of the sum of all loss.N by parameter NAME: its
                                          Euclidean norm, then the elements at
                                          i * size // elements, elements = min(size, 32)
      bf16         f32 [2]                relative error (Euclidean, over all texts) of hidden
                                          and logits when the reference itself computes in bf16
      greedy.N     i32                    new tokens of generate(), greedy
      beam.N       i32                    the same with three beams (T5)

Labels of a causal model are its ids (the reference shifts them). Every parameter is random,
norms and biases too, so that a forgotten one shows.
"""
import json
import pathlib
import sys

import safetensors.torch
import torch
import transformers as tf

HERE = pathlib.Path(__file__).resolve().parent / "families"
SEED = 20241124
LENGTHS = (3, 9, 17, 40)
VOCABULARY = 80
CLASSES = 5
NEW_TOKENS = 24

LABELS = {"id2label": {i: f"class {i}" for i in range(CLASSES)}, "label2id": {f"class {i}": i for i in range(CLASSES)}}
BERT = dict(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
            max_position_embeddings=64, **LABELS)
ROBERTA = dict(BERT, type_vocab_size=1, pad_token_id=1, max_position_embeddings=66, layer_norm_eps=1e-5)
DISTIL = dict(vocab_size=VOCABULARY, dim=32, n_layers=2, n_heads=4, hidden_dim=48, max_position_embeddings=64, **LABELS)
GPT2 = dict(vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=96, bos_token_id=2, eos_token_id=2)
LLAMA = dict(vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=96, rope_theta=1000.0, bos_token_id=1, eos_token_id=2,
             pad_token_id=None)
SHORT = dict(LLAMA, max_position_embeddings=16)
T5 = dict(vocab_size=VOCABULARY, d_model=32, d_kv=12, d_ff=48, num_layers=2, num_heads=4, decoder_start_token_id=0,
          relative_attention_num_buckets=8, relative_attention_max_distance=20)
VIT = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, image_size=24,
           patch_size=8, num_channels=3, **LABELS)

# Newer releases give each layer its own mask.
FROM_5 = {
    "qwen2_window": lambda: (tf.Qwen2ForCausalLM, tf.Qwen2Config(
        **{k: v for k, v in LLAMA.items() if k not in ("rope_theta", "num_hidden_layers")}, num_hidden_layers=3,
        rope_parameters={"rope_type": "default", "rope_theta": 1000.0}, use_sliding_window=True, sliding_window=6,
        max_window_layers=1)),
}
VARIANTS = {
    "bert_token": (tf.BertForTokenClassification, tf.BertConfig(**BERT, hidden_act="gelu_new")),
    "bert_span": (tf.BertForQuestionAnswering, tf.BertConfig(**dict(BERT, id2label={0: "begin", 1: "end"}))),
    "bert_masked": (tf.BertForMaskedLM, tf.BertConfig(**BERT)),
    "roberta_sequence": (tf.RobertaForSequenceClassification, tf.RobertaConfig(**ROBERTA)),
    "roberta_masked": (tf.RobertaForMaskedLM, tf.RobertaConfig(**ROBERTA)),
    "xlm_roberta_token": (tf.XLMRobertaForTokenClassification, tf.XLMRobertaConfig(**ROBERTA)),
    "distilbert_sequence": (tf.DistilBertForSequenceClassification, tf.DistilBertConfig(**DISTIL)),
    "distilbert_masked": (tf.DistilBertForMaskedLM, tf.DistilBertConfig(**DISTIL)),
    "gpt2": (tf.GPT2LMHeadModel, tf.GPT2Config(**GPT2)),
    "gpt2_sequence": (tf.GPT2ForSequenceClassification, tf.GPT2Config(**GPT2, activation_function="relu", **LABELS)),
    "llama": (tf.LlamaForCausalLM, tf.LlamaConfig(**LLAMA, tie_word_embeddings=True)),
    "llama_biases": (tf.LlamaForCausalLM, tf.LlamaConfig(**LLAMA, attention_bias=True, mlp_bias=True, head_dim=12)),
    "llama_linear": (tf.LlamaForCausalLM, tf.LlamaConfig(**SHORT, rope_scaling={"rope_type": "linear", "factor": 4.0})),
    "llama_dynamic": (tf.LlamaForCausalLM,
                      tf.LlamaConfig(**SHORT, rope_scaling={"rope_type": "dynamic", "factor": 4.0})),
    "llama_yarn": (tf.LlamaForCausalLM, tf.LlamaConfig(**SHORT, rope_scaling={"rope_type": "yarn", "factor": 4.0})),
    "llama_llama3": (tf.LlamaForCausalLM, tf.LlamaConfig(**LLAMA, rope_scaling={
        "rope_type": "llama3", "factor": 6.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16})),
    "llama_partial": (tf.LlamaForCausalLM, tf.LlamaConfig(**LLAMA, partial_rotary_factor=0.5)),
    "llama_sequence": (tf.LlamaForSequenceClassification, tf.LlamaConfig(**LLAMA, **LABELS)),
    "mistral_window": (tf.MistralForCausalLM, tf.MistralConfig(**LLAMA, sliding_window=6)),
    "qwen2": (tf.Qwen2ForCausalLM, tf.Qwen2Config(**LLAMA, tie_word_embeddings=True)),
    "t5": (tf.T5ForConditionalGeneration, tf.T5Config(**T5)),
    "t5_gated": (tf.T5ForConditionalGeneration,
                 tf.T5Config(**T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False, num_decoder_layers=3)),
    "t5_sequence": (tf.T5ForSequenceClassification, tf.T5Config(**T5, eos_token_id=1, **LABELS)),
    "mt5": (tf.MT5ForConditionalGeneration, tf.MT5Config(**T5)),
    "t5_encoder": (tf.T5EncoderModel, tf.T5Config(**T5)),
    "vit": (tf.ViTForImageClassification, tf.ViTConfig(**VIT)),
    "vit_quick": (tf.ViTForImageClassification, tf.ViTConfig(**VIT, hidden_act="quick_gelu", qkv_bias=False)),
    "deit": (tf.DeiTForImageClassification, tf.DeiTConfig(**VIT)),
    "deit_teacher": (tf.DeiTForImageClassificationWithTeacher, tf.DeiTConfig(**VIT)),
}


def turn_first_places_only():
    """Partial rotary positions: the reference's Llama reads the setting and then turns all places; here its own rotation
    turns the first ones and leaves the rest, as its Phi, StableLM and GLM do."""
    module = tf.models.llama.modeling_llama
    turn = module.apply_rotary_pos_emb

    def partly(q, k, cos, sin, *rest, **named):
        n = cos.shape[-1]
        turned = turn(q[..., :n], k[..., :n], cos, sin, *rest, **named)
        return tuple(torch.cat([a, b[..., n:]], dim=-1) for a, b in zip(turned, (q, k)))

    module.apply_rotary_pos_emb = partly


def randomise(model):
    for name, parameter in model.named_parameters():
        is_norm = parameter.dim() == 1 and "bias" not in name
        parameter.data.normal_(1.0 if is_norm else 0.0, 0.2 if parameter.dim() > 1 else 0.1)
        parameter.data = parameter.data.bfloat16().float()


def tiny_model(make, config):
    torch.manual_seed(SEED)
    config._attn_implementation = "eager"
    model = make(config)
    randomise(model)
    return model.eval()


def rows(generator, low=4):
    return [torch.randint(low, VOCABULARY, (length,), generator=generator) for length in LENGTHS]


def text_inputs(model, generator):
    """For each text the arguments of the reference, and what goes into the file."""
    kind = type(model).__name__
    for n, ids in enumerate(rows(generator)):
        if kind.startswith("T5ForSequence"):
            ids[-1] = 1  # the reference reads the state of the end token
        arguments, kept = {"input_ids": ids[None]}, {f"ids.{n}": ids}
        if kind.startswith("Bert"):
            types = (torch.arange(len(ids)) >= len(ids) // 2).long()
            arguments["token_type_ids"], kept[f"types.{n}"] = types[None], types
        if "ConditionalGeneration" in kind:
            target = torch.randint(4, VOCABULARY, (4 + 3 * n,), generator=generator)
            decoder = torch.cat([torch.zeros(1, dtype=torch.long), target[:-1]])
            arguments.update(decoder_input_ids=decoder[None], labels=target[None])
            kept[f"decoder.{n}"], kept[f"labels.{n}"] = decoder, target
        elif kind.endswith(("LM", "LMHeadModel")):
            labels = ids if "Masked" not in kind else torch.randint(4, VOCABULARY, ids.shape, generator=generator)
            arguments["labels"], kept[f"labels.{n}"] = labels[None], labels
        elif "Question" in kind:
            arguments.update(start_positions=torch.tensor([0]), end_positions=torch.tensor([len(ids) - 1]))
            kept[f"labels.{n}"] = torch.tensor([0, len(ids) - 1])
        elif "Classification" in kind:
            shape = ids.shape if "Token" in kind else (1,)
            labels = torch.randint(0, CLASSES, shape, generator=generator)
            arguments["labels"] = labels[None] if "Token" in kind else labels
            kept[f"labels.{n}"] = labels
        yield arguments, kept


def image_inputs(model, generator):
    for n in range(3):
        pixels = torch.randn(3, 24, 24, generator=generator)
        labels = torch.randint(0, CLASSES, (1,), generator=generator)
        arguments = {"pixel_values": pixels[None]}
        if "Teacher" not in type(model).__name__:
            arguments["labels"] = labels
        yield arguments, {f"pixels.{n}": pixels, f"labels.{n}": labels}


def body_of(model):
    return getattr(model, model.base_model_prefix, model)


def last_hidden(model, arguments):
    names = ("input_ids", "token_type_ids", "pixel_values")
    body = body_of(model)
    if hasattr(body, "shared"):
        body = body.encoder
    return body(**{k: v for k, v in arguments.items() if k in names}).last_hidden_state[0]


def logits_of(result):
    if "start_logits" in result:
        return torch.stack([result.start_logits[0], result.end_logits[0]], dim=1)
    return result.logits[0] if "logits" in result else None


def loss_of(result, kept, n):
    if "loss" in result:
        return result.loss
    return torch.nn.functional.cross_entropy(result.logits, kept[f"labels.{n}"])


def sampled(gradient):
    flat = gradient.flatten()
    count = min(len(flat), 32)
    places = torch.arange(count) * len(flat) // count
    return torch.cat([flat.norm()[None], flat[places]])


def learn_and_look(model, inputs, tensors):
    total = 0
    for n, (arguments, kept) in enumerate(inputs):
        result = model(**arguments)
        logits = logits_of(result)
        tensors.update(kept)
        if logits is None:
            continue
        tensors[f"logits.{n}"] = logits.detach()
        loss = loss_of(result, kept, n)
        tensors[f"loss.{n}"] = loss.detach()[None]
        total = total + loss
    if torch.is_tensor(total):
        total.backward()
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                tensors[f"grad.{name}"] = sampled(parameter.grad)


def look(model, inputs, tensors):
    for n, (arguments, _) in enumerate(inputs):
        with torch.no_grad():
            tensors[f"hidden.{n}"] = last_hidden(model, arguments)


def in_bf16(model, inputs, tensors):
    """How far the reference's own bf16 is from its fp32: what ours is measured by."""
    model.to(torch.bfloat16)
    squares = {"hidden": [0.0, 0.0], "logits": [0.0, 0.0]}
    for n, (arguments, _) in enumerate(inputs):
        arguments = {k: v.bfloat16() if v.is_floating_point() else v for k, v in arguments.items()}
        with torch.no_grad():
            got = {"hidden": last_hidden(model, arguments), "logits": logits_of(model(**arguments))}
        for kind, value in got.items():
            if value is not None:
                wanted = tensors[f"{kind}.{n}"]
                squares[kind][0] += float((value.float() - wanted).square().sum())
                squares[kind][1] += float(wanted.square().sum())
    tensors["bf16"] = torch.tensor([(a / b) ** 0.5 if b else 0.0 for a, b in squares.values()])


def write_on(model, inputs, tensors):
    for n, (arguments, _) in enumerate(inputs):
        prompt = arguments["input_ids"]
        skip = 1 if model.config.is_encoder_decoder else prompt.shape[1]
        settings = dict(max_new_tokens=NEW_TOKENS, do_sample=False, attention_mask=torch.ones_like(prompt),
                        pad_token_id=0)
        with torch.no_grad():
            model(**{k: v[:, :1] for k, v in arguments.items() if v.dim() == 2})  # forgets longer texts (dynamic rope)
        tensors[f"greedy.{n}"] = model.generate(prompt, **settings)[0][skip:]
        if model.config.is_encoder_decoder:
            tensors[f"beam.{n}"] = model.generate(prompt, num_beams=3, **settings)[0][skip:]


def new_spelling(folder):
    """Writes the config as newer releases do: rope_parameters and dtype."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["rope_parameters"] = dict(config.pop("rope_scaling"), rope_theta=config.pop("rope_theta"))
    config["dtype"] = config.pop("torch_dtype")
    path.write_text(json.dumps(config, indent=2) + "\n")


def make(name):
    kind, config = FROM_5[name]() if name in FROM_5 else VARIANTS[name]
    model = tiny_model(kind, config)
    generator = torch.Generator().manual_seed(SEED + len(name))
    inputs = list((image_inputs if "pixel" in model.main_input_name else text_inputs)(model, generator))
    tensors = {}
    learn_and_look(model, inputs, tensors)
    look(model, inputs, tensors)
    if "generate" in dir(model) and kind.__name__.endswith(("CausalLM", "LMHeadModel", "ConditionalGeneration")):
        write_on(model, inputs, tensors)
    in_bf16(model, inputs, tensors)
    folder = HERE / name
    tensors = {k: (v.int() if v.dtype == torch.long else v).detach().clone().contiguous() for k, v in tensors.items()}
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    safetensors.torch.save_file(tensors, folder / "golden.safetensors", metadata={"format": "pt"})
    if name == "llama_linear":
        new_spelling(folder)
    print(name, {k: sum(f.stat().st_size for f in folder.iterdir()) for k in ["bytes"]})


def main():
    newer = int(tf.__version__.split(".")[0]) >= 5
    if not newer:
        turn_first_places_only()
    for name in sys.argv[1:] or (FROM_5 if newer else VARIANTS):
        make(name)


if __name__ == "__main__":
    main()
