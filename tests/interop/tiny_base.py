#!/usr/bin/env python3
"""A base model small enough for a test, of a family that no package carries small: tiny_base.py NAME ROWS.tsv FOLDER

The weights are those of tests/golden/families/NAME; what they know is nothing, but a classifier tuned on them still
learns which words are there. The tokenizer is made here from the commonest words of ROWS.tsv.
"""
import collections
import pathlib
import shutil
import sys

import tokenizers
from tokenizers import models, normalizers, pre_tokenizers, processors

name, rows, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
VOCABULARY = 80  # of the tiny models
source = pathlib.Path(__file__).resolve().parents[1] / "golden" / "families" / name
# RoBERTa counts positions past the id of its padding, so an end mark of that id would stand at another place.
SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"] if name.startswith("roberta") else ["<pad>", "</s>", "<s>", "<unk>"]

folder.mkdir(parents=True)
for file in ("config.json", "model.safetensors"):
    shutil.copy(source / file, folder / file)
split = pre_tokenizers.BertPreTokenizer()
counts = collections.Counter()
for line in open(rows, encoding="utf-8"):
    counts.update(word for word, _ in split.pre_tokenize_str(line.split("\t", 1)[1].strip().lower()))
words = [word for word, _ in counts.most_common(VOCABULARY - len(SPECIALS))]
tokenizer = tokenizers.Tokenizer(models.WordLevel({word: i for i, word in enumerate(SPECIALS + words)}, unk_token="<unk>"))
tokenizer.normalizer = normalizers.Lowercase()
tokenizer.pre_tokenizer = split
tokenizer.add_special_tokens(SPECIALS)
form = {"roberta": "<s> $A </s>", "distilbert": "<s> $A </s>", "t5": "$A </s>"}.get(name.split("_")[0])
if form:
    tokenizer.post_processor = processors.TemplateProcessing(single=form, special_tokens=[(mark, SPECIALS.index(mark)) for mark in ("<s>", "</s>")])
tokenizer.save(str(folder / "tokenizer.json"))
