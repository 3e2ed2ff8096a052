#!/usr/bin/env python3
"""Conversations to learn from, out of the real data sets: what the figures of tuning a language model are measured on.

    bench/chat_rows.py intents ../shared/data/banking77/train.csv 1500 train.jsonl    a question -> the name of its intent
    bench/chat_rows.py titles ../shared/data/scitldr/train.jsonl 600 train.jsonl      an abstract -> its one-sentence TLDR

Takes rows from all over the file, by a fixed seed.
"""
import csv
import json
import random
import sys

SEED = 1


def intents(path):
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield "Name the intent of this message: " + row["text"].strip(), row["category"]


def titles(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            source = row["source"] if isinstance(row["source"], str) else " ".join(row["source"])
            target = row["target"] if isinstance(row["target"], str) else row["target"][0]
            yield "Summarise in one sentence: " + source, target


def main():
    kind, source, count, output = sys.argv[1:5]
    rows = list({"intents": intents, "titles": titles}[kind](source))
    random.Random(SEED).shuffle(rows)
    with open(output, "w", encoding="utf-8") as file:
        for question, answer in rows[:int(count)]:
            file.write(json.dumps({"messages": [{"role": "user", "content": question},
                                                {"role": "assistant", "content": answer}]}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
