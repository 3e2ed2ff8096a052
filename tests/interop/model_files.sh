#!/usr/bin/env bash
# Files that others made, through us, to the libraries that read them:
#   SmolLM2-135M-Instruct as a GGUF file -> our Hugging Face folder: tensor by tensor what the gguf package decodes
#   the tiny models -> folder -> transformers, and -> GGUF (F16, Q8_0, Q4_0) -> the gguf package and transformers
#   an adapter of peft, read and written by us -> peft: the same logits
#   an adapter of peft merged by us -> transformers: the logits that peft gives
. "$(dirname "$0")/../journeys/lib.sh"
python=${ROOTSTOCK_GOLDEN_PYTHON:-$("$repo/scripts/golden-env" | tail -n 1)}
check=$repo/tests/interop/model_files.py golden=$repo/tests/golden

for name in llama qwen2 gpt2 bert; do
    ok rootstock export "$golden/gguf_$name.gguf" --format hf --output "$work/$name" --dtype f32
    ok "$python" "$check" folder "$golden/gguf_$name.gguf" "$work/$name"; cat "$work/last.out"
    for type in f16 q8_0 q4_0; do
        ok rootstock export "$work/$name" --format gguf --dtype $type --output "$work/$name-$type.gguf"
        ok "$python" "$check" file "$work/$name" "$work/$name-$type.gguf"; cat "$work/last.out"
    done
done
for case in lora_layers lora_saved dora_patterns; do
    ok rootstock merge "$golden/merge_$case" --base "$golden/tiny_bert" --output "$work/merged_$case"
    ok "$python" "$check" merged "$golden/tiny_bert" "$golden/merge_$case" "$work/merged_$case"; cat "$work/last.out"
done
for case in peft_query_value peft_rslora_all merge_lora_layers merge_dora_patterns; do
    [ -x "$bin/model_test" ] || break
    ROOTSTOCK_ADAPTER_FROM=$golden/$case ROOTSTOCK_ADAPTER_TO=$work/again_$case \
        ok "$bin/model_test" --gtest_filter=AdapterFolders.* --gtest_brief=1
    ok "$python" "$check" same "$golden/tiny_bert" "$golden/$case" "$work/again_$case"; cat "$work/last.out"
done
model=${ROOTSTOCK_TEST_GGUF:-$repo/build/test-gguf/SmolLM2-135M-Instruct.Q4_1.gguf}
if [ -f "$model" ]; then
    ok rootstock export "$model" --format hf --output "$work/smollm2" --dtype f32
    ok "$python" "$check" folder "$model" "$work/smollm2"; cat "$work/last.out"
else
    echo "no $model: SmolLM2 is left out"
fi
finish
