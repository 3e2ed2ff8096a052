#!/usr/bin/env bash
# A language model is tuned on conversations: faulty rows are named, the adapter is measured beside its base, promoted, and talks.
. "$(dirname "$0")/lib.sh"
[ -x "$bin/rootstock-learn" ] || { echo "skipped: no rootstock-learn in $bin"; exit 77; }
ok rootstock pull "file:$repo/tests/golden/gguf_llama.gguf" --name bytes
ok rootstock export bytes --format hf --output "$work/exported"
python3 "$here/make_tiny_writer.py" "$work/exported" "$work/writer"
ok rootstock pull "file:$work/writer" --name writer

# Three questions with an answer each, over and over; and rows that cannot be used.
python3 - "$work" <<'PY'
import json, sys
answers = {"red": "stop", "green": "go", "amber": "wait"}
def row(i):
    colour = list(answers)[i % 3]
    return {"messages": [{"role": "user", "content": f"{'  please '[:i % 8]}{colour}?"},
                         {"role": "assistant", "content": answers[colour]}]}
with open(sys.argv[1] + "/train.jsonl", "w") as file:
    for i in range(120):
        file.write(json.dumps(row(i)) + "\n")
    file.write('{"messages": [{"role": "user", "content": "no answer"}]}\n')
    file.write('{"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []}\n')
    file.write('{"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y", "weight": 2}]}\n')
with open(sys.argv[1] + "/eval.jsonl", "w") as file:
    for i in range(9):
        file.write(json.dumps(row(i)) + "\n")
PY

refused 1 "does not write texts" rootstock finetune --base "$(rootstock pull "file:$tiny" --name encoder >/dev/null; echo encoder)" \
    --task chat --data "$work/train.jsonl" --name lights
refused 1 "known are: classify, image, chat" rootstock finetune --base writer --task sing --data "$work/train.jsonl" --name lights
refused 1 "none of its 1 rows can be used; the first is row 1" \
    rootstock finetune --base writer --task chat --data <(tail -n 1 "$work/train.jsonl") --name lights

ok rootstock finetune --base writer --task chat --data "$work/train.jsonl" --eval "$work/eval.jsonl" --name lights \
    --epochs 30 --batch 16 --lr 0.02 --rank 8 --report "$work/report.json"
said "120 usable"
said "3 rows were kept aside"
said "token accuracy"
said "lights@1 is a candidate"
job=$(ls -d "$ROOTSTOCK_HOME"/jobs/*)
is "rows kept aside" "$(wc -l <"$job/problems.jsonl")" 3
grep -q '"row":122.*DPO' "$job/problems.jsonl" || fault "the row of preferences is named"
python3 - "$work/report.json" "$job/events.jsonl" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
assert report["tuned"]["loss"] < report["base"]["loss"] / 2, report
assert report["tuned"]["mean_token_accuracy"] > 0.9, report
epochs = [e for e in map(json.loads, open(sys.argv[2])) if e["event"] == "epoch"]
assert epochs and {"step", "epoch", "train_loss", "train_mean_token_accuracy", "valid_loss", "valid_mean_token_accuracy",
                   "trained_tokens"} <= epochs[-1].keys(), epochs[-1:]
PY
[ -s "$work/report.html" ] || fault "the report is also HTML"

ok rootstock promote lights
said "lights@1"
for pair in red:stop green:go amber:wait; do
    echo "${pair%:*}?" | rootstock chat --adapter lights --temperature 0 --max-tokens 8 --fp32 --json >"$work/last.out" 2>"$work/last.err" ||
        fault "talks with the adapter"
    is "the answer to ${pair%:*}" "$(json content <"$work/last.out")" "${pair#*:}"
done
refused 1 "there is no adapter" rootstock chat --adapter nothing

# The adapter goes out as it is, and into its base.
ok rootstock export lights --format peft --output "$work/peft"
is "task_type" "$(json task_type <"$work/peft/adapter_config.json")" CAUSAL_LM
ok rootstock merge lights --output "$work/merged"
ok rootstock pull "file:$work/merged" --name merged
echo "green?" | rootstock chat merged --temperature 0 --max-tokens 8 --fp32 --json >"$work/last.out" 2>/dev/null || fault "the merged model talks"
is "the merged model's answer" "$(json content <"$work/last.out")" go
finish
