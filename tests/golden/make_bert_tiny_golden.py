#!/usr/bin/env python3
"""A tiny random BERT classifier and its outputs, so that fast tests need no download.

    build/golden-env/bin/python tests/golden/make_bert_tiny_golden.py

writes tiny_bert/ (a Hugging Face folder of BertForSequenceClassification) and, for six
sequences, tiny_bert_golden.safetensors:

    ids.N       i32 [tokens]
    hidden.N.L  f32 [tokens, 32]  L = 0 after the embeddings, 1 and 2 after each layer
    pooled      f32 [6, 32]       tanh(pooler(last hidden state of the first token))
    logits      f32 [6, 5]        classifier(pooled), as BertForSequenceClassification in eval mode

Every parameter is random, norms and biases too, so that a forgotten one shows.
"""
import json
import pathlib
import string

import safetensors.torch
import tokenizers
import torch
import transformers

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE / "tiny_bert"
SEED = 20240607
LENGTHS = (3, 5, 8, 13, 21, 40)
LABELS = ["card_arrival", "lost_card", "refund", "exchange_rate", "other"]
WORDS = """the a i my is it to not card money bank account please where when how why what can you have has was in of
for and with on this that do get new lost late arrive refund rate cash pay paid charge fee help thank order week day
time wrong phone app code pin top up transfer still still_not mail post send sent receive cancel change open close
limit name""".split()


def vocabulary():
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces += list(string.ascii_lowercase + string.digits) + ["##" + c for c in string.ascii_lowercase + string.digits]
    pieces += list(".,?!'-$%&()/:;")
    pieces += [w for w in WORDS if "_" not in w and len(w) > 1]
    pieces += ["##" + s for s in ("s", "ed", "ing", "er", "ly", "es", "al", "ion") if "##" + s not in pieces]
    pieces = list(dict.fromkeys(pieces))
    pieces += [f"[unused{i}]" for i in range(200 - len(pieces))]
    assert len(pieces) == 200 == len(set(pieces)), len(pieces)
    return pieces


def configuration():
    return transformers.BertConfig(
        vocab_size=200, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=64, type_vocab_size=2, hidden_act="gelu", layer_norm_eps=1e-12, pad_token_id=0,
        id2label=dict(enumerate(LABELS)), label2id={l: i for i, l in enumerate(LABELS)},
        problem_type="single_label_classification", attn_implementation="eager")


def randomise(model):
    for name, parameter in model.named_parameters():
        spread = 0.2 if parameter.dim() == 2 else 0.1
        parameter.data.normal_(1.0 if "LayerNorm.weight" in name else 0.0, spread)


def tiny_model():
    torch.manual_seed(SEED)
    model = transformers.BertForSequenceClassification(configuration())
    randomise(model)
    return model.eval()


def sequences():
    generator = torch.Generator().manual_seed(SEED)
    for length in LENGTHS:
        inner = torch.randint(5, 200, (length - 2,), generator=generator).tolist()
        yield [2] + inner + [3]


def main():
    model = tiny_model()
    model.save_pretrained(FOLDER)
    (FOLDER / "vocab.txt").write_text("\n".join(vocabulary()) + "\n")
    tokenizers.BertWordPieceTokenizer(str(FOLDER / "vocab.txt"), lowercase=True).save(str(FOLDER / "tokenizer.json"))
    (FOLDER / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 64}, indent=2) + "\n")
    tensors, pooled, logits = {}, [], []
    for n, ids in enumerate(sequences()):
        with torch.no_grad():
            batch = torch.tensor([ids])
            body = model.bert(batch, output_hidden_states=True)
            logits.append(model(batch).logits[0])
        pooled.append(body.pooler_output[0])
        tensors[f"ids.{n}"] = torch.tensor(ids, dtype=torch.int32)
        for layer, hidden in enumerate(body.hidden_states):
            tensors[f"hidden.{n}.{layer}"] = hidden[0].clone()
    tensors["pooled"], tensors["logits"] = torch.stack(pooled), torch.stack(logits)
    safetensors.torch.save_file(tensors, HERE / "tiny_bert_golden.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main()
