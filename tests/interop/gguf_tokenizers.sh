#!/usr/bin/env bash
# The tokenizer of a GGUF file, as the tokenizer.json that we make of it, gives in the reference library the ids that
# llama.cpp expects (.inp and .out beside each vocabulary) and those of the model's own tokenizer (expected.jsonl). The
# vocabulary of BERT is put into a GGUF file here, by llama.cpp's rule, and must come back as it was.
. "$(dirname "$0")/../journeys/lib.sh"
data=${ROOTSTOCK_SHARED_DATA:-$repo/../shared/data}/tokenizers
[ -d "$data" ] || { echo "skipped: no $data"; exit 77; }
[ -x "$bin/model_test" ] || { echo "skipped: no model_test in $bin"; exit 77; }
python=${ROOTSTOCK_GOLDEN_PYTHON:-$("$repo/scripts/golden-env" | tail -n 1)}

unfold() {
    ROOTSTOCK_GGUF_FROM=$1 ROOTSTOCK_GGUF_TO=$2 ok "$bin/model_test" --gtest_filter=GgufVocabularies.* --gtest_brief=1
}
compare=$repo/tests/interop/gguf_tokenizers.py

unfold "$data/gpt2/ggml-vocab-gpt-2.gguf" "$work/gpt2.json"
ok "$python" "$compare" texts "$work/gpt2.json" "$data/gpt2" "$data/gpt2/ggml-vocab-gpt-2.gguf"; cat "$work/last.out"
unfold "$data/phi-3-mini/ggml-vocab-phi-3.gguf" "$work/phi3.json"
ok "$python" "$compare" texts "$work/phi3.json" "$data/phi-3-mini" "$data/phi-3-mini/ggml-vocab-phi-3.gguf"; cat "$work/last.out"
for folder in bert-base-uncased qwen3 roberta-base; do
    ok "$python" "$compare" fold "$data/$folder" "$work/$folder.gguf"
    unfold "$work/$folder.gguf" "$work/$folder.json"
    ok "$python" "$compare" texts "$work/$folder.json" "$data/$folder" "$(ls "$data/$folder"/*.inp 2>/dev/null | sed 's/.inp$//')"
    cat "$work/last.out"
done
finish
