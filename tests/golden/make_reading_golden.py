#!/usr/bin/env python3
"""Tiny random models that find entities, find answers and compare texts, and what transformers' pipelines say with them.

    build/golden-env/bin/python tests/golden/make_reading_golden.py      (after make_bert_tiny_golden.py)

writes reading/{entities,answers,crossencoder}/ (Hugging Face folders with the tokenizer of tiny_bert) and reading.json:

    entities   [{"text", "entities": [{"label", "text", "start", "end", "score"}]}]      aggregation "simple"
    answers    [{"question", "context", "top_k", "max_answer_tokens", "allow_no_answer", "answers": [{"text", "start",
               "end", "score"}]}]    windows of 64 tokens that share 16; the empty answer of the pipeline is a null here
    pairs      [{"query", "documents": [...], "scores": [...], "logits": [...]}]         logistic of the one class

Every parameter is random, norms and biases too, so that a forgotten one shows.
"""
import json
import pathlib
import shutil

import torch
import transformers as tf

HERE = pathlib.Path(__file__).resolve().parent
TINY, FOLDER = HERE / "tiny_bert", HERE / "reading"
SEED = 20251125
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
TEXTS = ["where is my card?", "Please help, I lost my phone in Zürich", "card", "", "卡 a1 b2 🙂 the bank of (my) order 42",
         "how do i pay the fee for my new card on monday?"]
QUESTIONS = ["where is the card?", "who lost it?"]
CONTEXT = "my card was sent by post on monday and it did not arrive. "


def configuration(labels):
    base = tf.BertConfig.from_pretrained(TINY)
    base.update({"architectures": None, "problem_type": None})
    base.id2label = dict(enumerate(labels))
    base.label2id = {label: i for i, label in enumerate(labels)}
    return base


def made(kind, name, labels, head_spread):
    torch.manual_seed(SEED)
    model = kind(configuration(labels)).eval()
    for key, parameter in model.named_parameters():
        spread = 0.2 if parameter.dim() == 2 else 0.1
        if key.startswith(("classifier", "qa_outputs")):
            spread = head_spread
        parameter.data.normal_(1.0 if "LayerNorm.weight" in key else 0.0, spread)
    model.save_pretrained(FOLDER / name)
    for file in ("vocab.txt", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(TINY / file, FOLDER / name)
    return model, tf.BertTokenizerFast.from_pretrained(FOLDER / name)


def entities():
    model, tokenizer = made(tf.BertForTokenClassification, "entities", TAGS, 0.5)
    finder = tf.TokenClassificationPipeline(model=model, tokenizer=tokenizer, aggregation_strategy="simple")
    for text in TEXTS:
        found = [{"label": e["entity_group"], "text": text[e["start"]:e["end"]], "start": e["start"], "end": e["end"],
                  "score": float(e["score"])} for e in finder(text)] if text else []
        yield {"text": text, "entities": found}


def answers():
    model, tokenizer = made(tf.BertForQuestionAnswering, "answers", ["LABEL_0", "LABEL_1"], 0.5)
    finder = tf.QuestionAnsweringPipeline(model=model, tokenizer=tokenizer)
    for question in QUESTIONS:
        # The pipeline tells an answer once for each window that shows it: of a long context only the best one is asked.
        for context, top_k in [("my card", 10), (CONTEXT, 1), (CONTEXT, 4), (CONTEXT * 6, 1), ("a " * 30 + "Zürich 卡. " + CONTEXT * 3, 1)]:
            for none in (False, True):
                order = {"question": question, "context": context, "top_k": top_k, "max_answer_tokens": 12, "allow_no_answer": none}
                told = finder(question=question, context=context, top_k=top_k, max_answer_len=12, max_seq_len=64, doc_stride=16,
                              handle_impossible_answer=none, align_to_words=False)
                told = told if isinstance(told, list) else [told]
                told = [a for a in told if a["score"] > 0]  # spans that the pipeline has crossed out
                yield order | {"answers": [
                    {"text": None, "start": None, "end": None, "score": float(a["score"])} if a["answer"] == "" else
                    {"text": a["answer"], "start": int(a["start"]), "end": int(a["end"]), "score": float(a["score"])} for a in told]}


def pairs():
    model, tokenizer = made(tf.BertForSequenceClassification, "crossencoder", ["LABEL_0"], 0.5)
    documents = [CONTEXT, "the fee is 2 % of the rate", "卡", "lost card", "my phone app is wrong today, please help"]
    for query in QUESTIONS:
        encoded = tokenizer([query] * len(documents), documents, padding=True, return_tensors="pt")
        with torch.no_grad():
            logits = model(**encoded).logits[:, 0]
        yield {"query": query, "documents": documents, "scores": torch.sigmoid(logits).tolist(), "logits": logits.tolist()}


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    told = {"entities": list(entities()), "answers": list(answers()), "pairs": list(pairs())}
    (HERE / "reading.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    print(f"seed {SEED}: {sum(len(t['entities']) for t in told['entities'])} entities, {len(told['answers'])} questions")
