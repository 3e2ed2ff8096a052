#!/usr/bin/env bash
# Classifiers on bases of every family, none of which has a classifier: tuned by us, served by us, and read by the real
# peft library with the logits that the adapter's self-tests record. RoBERTa, DistilBERT and T5 keep a dense map of their
# own in the classifier (modules_to_save), GPT-2 and Llama read the last token and have no bias.
. "$(dirname "$0")/../journeys/lib.sh"
messages=${ROOTSTOCK_SHARED_DATA:-$repo/../shared/data}/sms-spam/SMSSpamCollection
[ -x "$bin/rootstock-learn" ] || { echo "skipped: no rootstock-learn in $bin"; exit 77; }
[ -f "$messages" ] || { echo "skipped: no $messages"; exit 77; }
python=${ROOTSTOCK_GOLDEN_PYTHON:-$("$repo/scripts/golden-env" | tail -n 1)}
export no_proxy=127.0.0.1

pick() { grep "^$1" "$messages" | sed -n "$2,$3p"; }
{ pick ham 1 200; pick spam 1 200; } >"$work/train.tsv"
{ pick ham 301 350; pick spam 301 350; } >"$work/test.tsv"

# served BASE NAME: the adapter, live, answers over HTTP as it was measured
served() {
    rm -f "$work/serve.out"  # else the last server's line may be read before this one opens it
    rootstock serve --base "$1" --listen 127.0.0.1:0 --json >"$work/serve.out" 2>"$work/serve.err" &
    local server=$!
    background+=("$server")
    local address
    address=$(first_line "$work/serve.out" | json listening)
    ok curl -sS "http://$address/v1/classify" -H "Authorization: Bearer $secret" -H "Content-Type: application/json" \
        -d "{\"model\": \"$2\", \"input\": [\"FREE prize! call now to claim\", \"ok see you at home then\"]}"
    said '"spam"'
    said '"ham"'
    kill -TERM "$server"
    wait "$server" || fault "the server ends with status 0"
}

ok rootstock tenant create acme
secret=$(rootstock key create --tenant acme --json | json secret)
for base in roberta_masked distilbert_masked t5 gpt2 llama; do
    ok "$python" "$repo/tests/interop/tiny_base.py" "$base" "$work/train.tsv" "$work/$base"
    ok rootstock pull "file:$work/$base" --name "$base"
    ok rootstock finetune --base "$base" --data "$work/train.tsv" --eval "$work/test.tsv" --text 2 --label 1 \
        --name "on-$base" --epochs 8 --lr 0.01 --max-tokens 48 --report "$work/report.json"
    said "self-tests agree with the learner"
    accuracy=$(json accuracy <"$work/report.json")
    awk "BEGIN { exit !($accuracy >= 0.8) }" || fault "$base: accuracy is at least 0.8: $accuracy"
    adapter=$ROOTSTOCK_HOME/adapters/$(rootstock adapters --json | json adapters "adapter=on-$base@1" id)
    "$python" - "$adapter/rootstock.json" >"$work/ids.jsonl" <<'PY'
import json, sys
for test in json.load(open(sys.argv[1], encoding="utf-8"))["self_tests"]:
    print(json.dumps({"ids": test["ids"]}))
PY
    ok "$python" "$repo/tests/interop/peft_logits.py" --base "$work/$base" --adapter "$adapter" --ids "$work/ids.jsonl"
    cp "$work/last.out" "$work/theirs.jsonl"
    ok "$python" - "$adapter/rootstock.json" "$work/theirs.jsonl" <<'PY'
import json, sys
tests = json.load(open(sys.argv[1], encoding="utf-8"))["self_tests"]
theirs = [json.loads(line)["logits"] for line in open(sys.argv[2], encoding="utf-8")]
assert len(tests) == len(theirs) > 0, (len(tests), len(theirs))
worst = max(abs(a - b) for test, logits in zip(tests, theirs) for a, b in zip(test["logits"], logits, strict=True))
print(f"peft's logits of {len(tests)} texts within {worst:.1e}")
assert worst <= 1e-4, worst
PY
    echo "$base: accuracy $accuracy; $(cat "$work/last.out")"
    ok rootstock promote "on-$base"
    served "$base" "on-$base"
done

# Pictures: peft and the reference's image processor, file by file. The vision model is the tiny random one.
pictures=${ROOTSTOCK_SHARED_DATA:-$repo/../shared/data}/busi-ultrasound
mkdir "$work/vit"
cp "$repo/tests/golden/families/vit/"{config.json,model.safetensors} "$work/vit"
echo '{"image_processor_type": "ViTImageProcessor", "size": {"height": 24, "width": 24}}' >"$work/vit/preprocessor_config.json"
for class in benign malignant normal; do
    mkdir -p "$work/pictures/$class"
    find "$pictures/$class" -name '*.png' | sort | sed -n 1,40p | while read -r file; do cp "$file" "$work/pictures/$class"; done
done
ok rootstock pull "file:$work/vit" --name vit
ok rootstock finetune --base vit --task image --data "$work/pictures" --name on-vit --epochs 3 --lr 0.01
adapter=$ROOTSTOCK_HOME/adapters/$(rootstock adapters --json | json adapters "adapter=on-vit@1" id)
ok rootstock classify on-vit "$work"/pictures/*/*1*.png --json --fp32 --top 3
cp "$work/last.out" "$work/ours.jsonl"
ok "$python" "$repo/tests/interop/peft_pictures.py" "$work/vit" "$adapter" "$work/ours.jsonl"
echo "vit: $(cat "$work/last.out")"
ok rootstock merge on-vit --output "$work/merged-vit" --dtype f32  # the base is bf16: rounding would hide a fault
ok rootstock pull "file:$work/merged-vit" --name merged-vit
ok rootstock classify merged-vit "$work"/pictures/*/*1*.png --json --fp32 --top 3
python3 - "$work/ours.jsonl" "$work/last.out" <<'PY' || fault "the merged model answers as base and adapter do"
import json, sys
a, b = ([json.loads(line) for line in open(path, encoding="utf-8")] for path in sys.argv[1:])
for one, two in zip(a, b, strict=True):
    one, two = ({label["label"]: label["probability"] for label in line["labels"]} for line in (one, two))
    assert one.keys() == two.keys() and all(abs(one[k] - two[k]) < 1e-4 for k in one), (one, two)
PY
finish
