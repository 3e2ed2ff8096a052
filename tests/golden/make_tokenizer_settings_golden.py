#!/usr/bin/env python3
"""Golden values for tokenizers of other settings than the usual ones, from the Hugging Face tokenizers library.

    build/golden-env/bin/python tests/golden/make_tokenizer_settings_golden.py

writes tokenizer_settings.json beside itself: a list of {name, tokenizer, cases}. `tokenizer` is a whole small
tokenizer.json; every case has the text, its normalised form, ids, offsets (code points, end exclusive), all without special tokens, and
what the library decodes from ids with special tokens kept and skipped.
"""
import json
import pathlib

import tokenizers

HERE = pathlib.Path(__file__).resolve().parent

WORDS = ("[UNK] [CLS] [SEP] [MASK] the bank card Card CARD un ##able ##aff play ##ing ##s hello world do not n ' t s "
         "m re ve . , ! ? don caf\u00e9 cafe \u4f60 \u597d ##\u597d \u4f60\u597d i\u0307 i ##\u0307 a b ##b e ##\u0301 "
         "\u0301 / < > money n't 's 'm 're 've").split()

TEXTS = [
    "the bank card", "The CARD, cards!", "unaffable playing", "Caf\u00e9 cafe\u0301", "\u4f60\u597d a\u4f60\u597db",
    "\u0130i a\u0000b\tc\u000bd", "<money> the<money>bank <money>s", "a  <money>  b", "<left>  b", "a  <right>   b",
    "a\u2003<both>\u00a0b<both><both>", "<word> the<word> <word>s (<word>) \u00e9<word> _<word> <word>",
    "<Norm> <norm> <N\u00f3rm> the<NORM>bank", "[MASK] [mask] a[MASK]b", "do not don't play's . , ! ?",
    # marks that accents leave over and canonical order moves; marks younger than the reference's tables
    "a\u08d4\u302eb", "\u08d4\u302e", "x\u0301\u08d4\u0302\u302e \u00e9\u08d4\u302e", "\U0001d16d\U0001d165", "\u4e2d\u08d4\u302e",
    "a\u08d4\u0000\u302e", "a\u1df6\u302e a\u1dfa\u302e a\u0c3c\u302e \U00011938", "\u08d4 \u302e[MASK]\u08d4\u302e\u00ad\u302e",
    "", "   ", "<both> <left><right> <word>", "hello world . hello ' s",
]


def added(content, token_id, **flags):
    base = {"id": token_id, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": False}
    return {**base, **flags}


def usual(vocab):
    return [added(token, vocab[token], special=True) for token in ("[UNK]", "[CLS]", "[SEP]", "[MASK]")]


def file(normalizer=None, more=lambda first: [], model=None, **others):
    vocab = {word: i for i, word in enumerate(WORDS)}
    bert = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
            "lowercase": True}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": usual(vocab) + more(len(vocab)),
        "normalizer": {**bert, **(normalizer or {})},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", vocab["[SEP]"]], "cls": ["[CLS]", vocab["[CLS]"]]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": vocab, **(model or {})},
        **others,
    }


def five_tokens(first):
    return [added("<money>", first), added("<left>", first + 1, lstrip=True), added("<right>", first + 2, rstrip=True),
            added("<both>", first + 3, lstrip=True, rstrip=True), added("<word>", first + 4, single_word=True)]


def settings():
    yield "usual", file()
    yield "cased", file({"lowercase": False})
    yield "cased, accents stripped", file({"lowercase": False, "strip_accents": True})
    yield "accents kept", file({"strip_accents": False})
    yield "Chinese in words", file({"handle_chinese_chars": False})
    yield "not cleaned", file({"clean_text": False})
    yield "added tokens", file(more=five_tokens)
    yield "added token looked for after normalising", file(more=lambda first: [added("<Norm>", first, normalized=True)])
    yield "short words only", file(model={"max_input_chars_per_word": 4})
    yield "no pieces around", file(normalizer=None, pre_tokenizer=None, post_processor=None, decoder=None)
    yield "no clean-up when decoding", file(decoder={"type": "WordPiece", "prefix": "##", "cleanup": False})


def case(tokenizer, text):
    bare = tokenizer.encode(text, add_special_tokens=False)
    whole = tokenizer.encode(text, "a b")
    return {"text": text, "normalized": tokenizer.normalizer.normalize_str(text), "ids": bare.ids, "offsets": [list(o) for o in bare.offsets],
            "pair_ids": whole.ids, "pair_type_ids": whole.type_ids,
            "decoded": tokenizer.decode(whole.ids, skip_special_tokens=True),
            "decoded_with_special": tokenizer.decode(whole.ids, skip_special_tokens=False)}


def main():
    entries = []
    for name, content in settings():
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(content))
        entries.append({"name": name, "tokenizer": content, "cases": [case(tokenizer, text) for text in TEXTS]})
    golden = {"library": f"tokenizers {tokenizers.__version__}", "settings": entries}
    text = json.dumps(golden, ensure_ascii=True, separators=(",", ":")).replace('{"name"', '\n{"name"').replace(
        '{"text"', '\n{"text"')
    (HERE / "tokenizer_settings.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
