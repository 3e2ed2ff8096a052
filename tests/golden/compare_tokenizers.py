#!/usr/bin/env python3
"""Compares `rootstock tokenizer` with the reference library (Hugging Face tokenizers), text by text: ids, ids with
special tokens, tokens, character offsets and decoded text. Every tokenizer under SHARED/tokenizers and every small one
of --small, on every text of the shared data sets and on hard cases. A folder with a SentencePiece model alone is held
against the sentencepiece library. Prints each difference; exit code 1 if there is one.

  compare_tokenizers.py --rootstock build/release/bin/rootstock --shared DATA [--small tests/golden/tokenizers]
                        [--only gpt2,qwen3] [--every 1]
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from tokenizer_texts import hard_texts, shared_texts


class Encoded:
    def __init__(self, ids, tokens, offsets):
        self.ids, self.tokens, self.offsets = ids, tokens, offsets


class SentencePieceReference:
    """The sentencepiece library, asked as the tokenizers library is. The two tell differently where a piece ends when a
    rule of the normalizer joins or splits characters: sentencepiece where the next piece begins, so that half a ligature
    has no width; the tokenizers library, asked with the same model, at one end of the joined characters. Either is taken,
    and a piece without width is the character at its beginning. Like transformers, and unlike sentencepiece, we read a
    control symbol that stands in a text as that symbol; such texts are left out and counted."""

    def __init__(self, file):
        proto = sentencepiece_model_pb2.ModelProto()
        proto.ParseFromString(file.read_bytes())
        self.controls = [piece.piece for piece in proto.pieces if piece.type == piece.CONTROL]
        self.model = sentencepiece.SentencePieceProcessor(model_file=str(file))
        self.other = Tokenizer(models.Unigram([(piece.piece, piece.score) for piece in proto.pieces],
                                              unk_id=proto.trainer_spec.unk_id))
        self.other.normalizer = normalizers.Sequence([
            normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap), normalizers.Strip(),
            normalizers.Replace(tokenizers.Regex(" {2,}"), " ")])
        self.other.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always", split=False)

    def fits(self, text):
        return not any(symbol in text for symbol in self.controls)

    def encode(self, text, add_special_tokens=True):
        at, places = 0, {}
        for i, character in enumerate(text):
            places[at] = i
            at += len(character.encode())
        places[at] = len(text)
        pieces = self.model.encode(text, return_type="proto").pieces
        spans = [(places[one.begin], places[one.end]) for one in pieces]
        ends = [{end if end > begin else begin + 1} for begin, end in spans]
        other = self.other.encode(text)
        if other.ids == [one.id for one in pieces]:
            ends = [end | {also} for end, (_, also) in zip(ends, other.offsets)]
        return Encoded([one.id for one in pieces], [one.piece for one in pieces],
                       [(begin, end) for (begin, _), end in zip(spans, ends)])

    def decode(self, ids):
        return self.model.decode(ids)


def reference_of(folder):
    """The reference's tokenizer of a folder, as transformers would put it together."""
    if (folder / "tokenizer.json").exists():
        made = Tokenizer.from_file(str(folder / "tokenizer.json"))
        made.no_truncation()
        made.no_padding()
        return made
    if (folder / "merges.txt").exists():
        made = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
        made.add_special_tokens([tokenizers.AddedToken("<|endoftext|>", special=True, normalized=False)])
        return made
    if (folder / "vocab.txt").exists():
        from tokenizers.implementations import BertWordPieceTokenizer
        made = BertWordPieceTokenizer(str(folder / "vocab.txt"))._tokenizer
        made.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
            special_tokens=[("[CLS]", made.token_to_id("[CLS]")), ("[SEP]", made.token_to_id("[SEP]"))])
        return made
    for file in sorted(folder.glob("*.model")):
        return SentencePieceReference(file)
    return None


def ours(program, model, texts, work):
    source = work / "texts.jsonl"
    with open(source, "w", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps({"text": text}) + "\n")
    run = subprocess.run([program, "tokenizer", "encode", "--model", model, "--jsonl", source], capture_output=True)
    if run.returncode:
        sys.exit(f"{model}: {run.stderr.decode()}")
    encoded = run.stdout
    (work / "ids.jsonl").write_bytes(encoded)
    run = subprocess.run([program, "tokenizer", "decode", "--model", model, work / "ids.jsonl"], capture_output=True)
    if run.returncode:
        sys.exit(f"{model}: {run.stderr.decode()}")
    return [json.loads(line) for line in encoded.splitlines()], [json.loads(line)["text"] for line in run.stdout.splitlines()]


def spans(theirs, ours):
    """Theirs as ours are written; of several ends, ours if it is among them."""
    if len(theirs) != len(ours) or not any(isinstance(end, set) for _, end in theirs):
        return [list(their) for their in theirs]
    return [[begin, own[1] if own[1] in ends else min(ends)] for (begin, ends), own in zip(theirs, ours)]


def compare(name, reference, program, model, texts, work, shown=6):
    differences = tokens = 0
    encoded, decoded = ours(program, model, texts, work)
    assert len(encoded) == len(texts) == len(decoded), (name, len(encoded), len(texts), len(decoded))
    for text, one, back in zip(texts, encoded, decoded):
        bare = reference.encode(text, add_special_tokens=False)
        theirs = {"ids": bare.ids, "ids_with_specials": reference.encode(text).ids, "tokens": bare.tokens,
                  "offsets": spans(bare.offsets, one["offsets"])}
        tokens += len(bare.ids)
        wrong = [key for key in theirs if theirs[key] != one[key]]
        if not wrong and reference.decode(bare.ids) != back:
            wrong = ["decoded"]
        if wrong:
            differences += 1
            if differences <= shown:
                key = wrong[0]
                print(f"{name}: {wrong} of {text[:200]!r}")
                if key == "decoded":
                    print("   theirs", repr(reference.decode(bare.ids))[:300], "\n   ours  ", repr(back)[:300])
                else:
                    at = next((i for i, (a, b) in enumerate(zip(theirs[key], one[key])) if a != b), 0)
                    at = max(at - 2, 0)
                    print("   theirs", theirs[key][at:at + 8], theirs["tokens"][at:at + 8], "\n   ours  ", one[key][at:at + 8], one["tokens"][at:at + 8])
    print(f"{name}: {len(texts)} texts, {tokens} tokens, {differences} differences", flush=True)
    return differences


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rootstock", required=True)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--small", type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--every", type=int, default=1, help="of the shared texts, take every n-th")
    options = parser.parse_args()
    print("reference: tokenizers", tokenizers.__version__, "and sentencepiece", sentencepiece.__version__, flush=True)
    wanted = set(filter(None, options.only.split(",")))
    texts = hard_texts() + list(shared_texts(options.shared))[::options.every]
    differences = 0
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        folders = sorted((options.shared / "tokenizers").iterdir())
        for folder in folders:
            reference = reference_of(folder)
            if reference is None or (wanted and folder.name not in wanted):
                continue
            model, fitting = folder, texts
            if isinstance(reference, SentencePieceReference):
                model, fitting = next(folder.glob("*.model")), [text for text in texts if reference.fits(text)]
                print(f"{folder.name}: {len(texts) - len(fitting)} texts with control symbols left out")
            differences += compare(folder.name, reference, options.rootstock, model, fitting, work)
        for file in sorted(options.small.glob("*.json")) if options.small else []:
            if wanted and file.stem not in wanted:
                continue
            reference = Tokenizer.from_file(str(file))
            differences += compare(file.stem, reference, options.rootstock, file, texts, work)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
