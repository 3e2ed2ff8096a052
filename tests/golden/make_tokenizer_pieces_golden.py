#!/usr/bin/env python3
"""Small tokenizers that between them use every piece a tokenizer.json may name, and what the reference library makes of
hard texts with them.

    python tests/golden/make_tokenizer_pieces_golden.py

writes tokenizers/NAME.json (whole small tokenizer.json files, which compare_tokenizers.py --small reads too) and
tokenizer_pieces.jsonl: one line a text and tokenizer, {tokenizer, text, ids, with_special, offsets, decoded}.
Made with tokenizers 0.23.3.
"""
import json
import pathlib

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from tokenizer_texts import hard_texts

HERE = pathlib.Path(__file__).resolve().parent
N, P, D, Q = normalizers, pre_tokenizers, decoders, processors

CORPUS = ["the quick brown fox jumps over the lazy dog " * 3, "na\u00efve caf\u00e9 r\u00e9sum\u00e9 123 4567 it's don't we'll",
          "\u4f60\u597d\u4e16\u754c \u4f60\u597d \u4e2d\u6587 \u3053\u3093\u306b\u3061\u306f", "hello world hello there low lower lowest new newer newest",
          "\U0001f600 \U0001f680 ok", "a-b_c (d) [e] <f> x=1; y+=2"]


def bpe(alphabet=False, size=400, **options):
    model = Tokenizer(models.BPE(**options))
    return model, trainers.BpeTrainer(vocab_size=size, show_progress=False, special_tokens=["<unk>", "<s>", "</s>"],
                                      initial_alphabet=P.ByteLevel.alphabet() if alphabet else [],
                                      **{key: value for key, value in options.items() if "word" in key})


def unigram(size=200):
    return Tokenizer(models.Unigram()), trainers.UnigramTrainer(vocab_size=size, show_progress=False, unk_token="<unk>",
                                                               special_tokens=["<unk>", "<s>", "</s>"])


def word_level():
    return Tokenizer(models.WordLevel(unk_token="<unk>")), trainers.WordLevelTrainer(show_progress=False, special_tokens=["<unk>", "<s>", "</s>"])


def wordpiece():
    return Tokenizer(models.WordPiece(unk_token="<unk>")), trainers.WordPieceTrainer(vocab_size=300, show_progress=False, special_tokens=["<unk>", "<s>", "</s>"])


def made(base, normalizer=None, pre=None, decoder=None, post=None):
    tokenizer, trainer = base
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre is not None:
        tokenizer.pre_tokenizer = pre
    if decoder is not None:
        tokenizer.decoder = decoder
    tokenizer.train_from_iterator(CORPUS, trainer)
    if post is not None:
        tokenizer.post_processor = post
    return tokenizer


def template():
    return Q.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 1), ("</s>", 2)])


def with_bytes(tokenizer, **fields):
    """The same with the 256 byte tokens and other fields of the model set."""
    file = json.loads(tokenizer.to_str())
    vocab = file["model"]["vocab"]
    for byte in range(256):
        token = f"<0x{byte:02X}>"
        if isinstance(vocab, list):
            vocab.append([token, -20.0])
        else:
            vocab[token] = len(vocab)
    file["model"].update(fields)
    return Tokenizer.from_str(json.dumps(file))


def all_of_them():
    sequence = P.Sequence
    yield "gpt2_prefix_trim", made(bpe(True), pre=P.ByteLevel(add_prefix_space=True), decoder=D.ByteLevel(), post=Q.ByteLevel(trim_offsets=True))
    yield "llama3_split", made(bpe(True), pre=sequence([P.Split(Regex(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"), "isolated"),
                                                        P.ByteLevel(add_prefix_space=False, use_regex=False)]), decoder=D.ByteLevel(),
                               post=Q.Sequence([Q.ByteLevel(trim_offsets=True, add_prefix_space=False), template()]))
    yield "roberta", made(bpe(True), pre=P.ByteLevel(add_prefix_space=True), decoder=D.ByteLevel(), post=Q.RobertaProcessing(("</s>", 2), ("<s>", 1), True, True))
    yield "byte_normalizer", made(bpe(True), normalizer=N.Sequence([N.NFKC(), N.ByteLevel()]), decoder=D.ByteLevel())
    yield "bpe_suffix", made(bpe(end_of_word_suffix="</w>", unk_token="<unk>"), normalizer=N.Lowercase(), pre=P.Whitespace(), decoder=D.BPEDecoder(suffix="</w>"))
    yield "bpe_prefix", made(bpe(continuing_subword_prefix="##", unk_token="<unk>", fuse_unk=True), pre=P.WhitespaceSplit(), decoder=D.WordPiece())
    yield "bpe_no_unknown", made(bpe(), pre=P.BertPreTokenizer())
    yield "bpe_byte_fallback", with_bytes(made(bpe(unk_token="<unk>", fuse_unk=True), normalizer=N.Sequence([N.Prepend("\u2581"), N.Replace(" ", "\u2581")]),
                                               decoder=D.Sequence([D.Replace("\u2581", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)])), byte_fallback=True)
    yield "bpe_ignore_merges", with_bytes(made(bpe(unk_token="<unk>"), normalizer=N.NFD(), pre=P.Metaspace(prepend_scheme="first"), decoder=D.Metaspace(prepend_scheme="first")), ignore_merges=True)
    yield "unigram_metaspace", made(unigram(), normalizer=N.Sequence([N.Nmt(), N.NFKC(), N.Replace(Regex(" {2,}"), " ")]), pre=P.Metaspace(), decoder=D.Metaspace(), post=template())
    yield "unigram_bytes", with_bytes(made(unigram(), normalizer=N.NFKD(), pre=P.Metaspace(prepend_scheme="never", split=False), decoder=D.Sequence([D.ByteFallback(), D.Metaspace(prepend_scheme="never")])), byte_fallback=True)
    yield "unigram_scripts", made(unigram(), normalizer=N.NFC(), pre=sequence([P.UnicodeScripts(), P.Metaspace(prepend_scheme="always")]), decoder=D.Metaspace())
    yield "word_level", made(word_level(), normalizer=N.Sequence([N.NFD(), N.StripAccents(), N.Strip(), N.Lowercase()]), pre=sequence([P.Whitespace(), P.Digits(individual_digits=True)]))
    yield "word_level_bert", made(word_level(), normalizer=N.BertNormalizer(), pre=P.BertPreTokenizer(), decoder=D.CTC(pad_token="<unk>", word_delimiter_token="|"), post=Q.BertProcessing(("</s>", 2), ("<s>", 1)))
    yield "wordpiece_strip", made(wordpiece(), normalizer=N.Strip(left=True, right=False), pre=sequence([P.CharDelimiterSplit(" "), P.Punctuation("merged_with_previous")]), decoder=D.WordPiece(cleanup=False))
    yield "fixed_length", made(wordpiece(), pre=P.FixedLength(3), decoder=D.WordPiece())
    for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
        yield "split_" + behavior, made(word_level(), pre=sequence([P.Split(Regex(r"[\s\p{P}]"), behavior), P.Split("l", behavior), P.Digits(individual_digits=False)]))
        yield "split_inverted_" + behavior, made(word_level(), pre=P.Split(Regex(r"\w+"), behavior, invert=True))
        yield "punctuation_" + behavior, made(word_level(), pre=P.Punctuation(behavior))


def main():
    folder = HERE / "tokenizers"
    folder.mkdir(exist_ok=True)
    texts = [text for text in hard_texts()[:-4300] if len(text) < 400]
    with open(HERE / "tokenizer_pieces.jsonl", "w", encoding="ascii") as out:
        for index, (name, tokenizer) in enumerate(all_of_them()):
            (folder / f"{name}.json").write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=True, separators=(",", ":")) + "\n")
            for text in texts[index % 7::7]:
                bare, whole = tokenizer.encode(text, add_special_tokens=False), tokenizer.encode(text)
                line = {"tokenizer": name, "text": text, "ids": bare.ids, "with_special": whole.ids,
                        "offsets": [value for pair in bare.offsets for value in pair], "decoded": tokenizer.decode(bare.ids)}
                out.write(json.dumps(line, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
