#!/usr/bin/env bash
# A customer's tuning job over HTTP with a real encoder: real bank messages are uploaded, a worker tunes, its server and worker
# are killed in the middle, another worker goes on from the checkpoint, and the result answers under its name and is paid for.
. "$(dirname "$0")/lib.sh"
model=${ROOTSTOCK_TEST_MODEL:-$repo/build/test-model}
data=${ROOTSTOCK_SHARED_DATA:-$repo/../shared/data}/banking77
[ -x "$bin/rootstock-learn" ] || { echo "skipped: no rootstock-learn in $bin"; exit 77; }
[ -d "$model" ] || { echo "skipped: no model in $model"; exit 77; }
[ -d "$data" ] || { echo "skipped: no $data"; exit 77; }

# Twelve labels: what was asked of a bank, as JSON lines.
python3 - "$data" "$work" <<'PY'
import csv, json, pathlib, sys
data, work = map(pathlib.Path, sys.argv[1:])
for part in ["train", "test"]:
    rows = list(csv.DictReader((data / f"{part}.csv").open(encoding="utf-8")))
    labels = sorted({row["category"] for row in rows})[:12]
    with open(work / f"{part}.jsonl", "w", encoding="utf-8") as out:
        for row in rows:
            if row["category"] in labels:
                print(json.dumps({"text": row["text"], "label": row["category"]}, ensure_ascii=False), file=out)
PY

ok rootstock pull "file:$model" --name encoder
ok rootstock tenant create acme
key=$(rootstock key create --tenant acme --json | json secret)
export no_proxy=127.0.0.1
serve() { # serve WORKERS: sets $server and $url
    : >"$work/serve.out"
    rootstock serve --listen 127.0.0.1:0 --workers "$1" --lease-seconds 2 --json >"$work/serve.out" 2>>"$work/serve.err" &
    server=$!
    background+=("$server")
    url=http://$(first_line "$work/serve.out" | json listening)/v1
}
ask() { curl -sS -H "Authorization: Bearer $key" "$@"; }
status_of() { ask "$url/fine_tuning/jobs/$1" | json status; }
wait_for() { # wait_for JOB STATUS SECONDS
    for _ in $(seq $((10 * $3))); do
        [ "$(status_of "$1")" = "$2" ] && return
        sleep 0.1
    done
    ask "$url/fine_tuning/jobs/$1" >"$work/last.out"
    fault "the job is $2 within $3 s"
}
step_of() { tail -n 400 "$ROOTSTOCK_HOME/jobs/$1/events.jsonl" 2>/dev/null | sed -n 's/.*"event":"step","step":\([0-9]*\).*/\1/p' | tail -n 1; }

serve 1
ok ask "$url/files" -F purpose=fine-tune -F "file=@$work/train.jsonl"
train=$(json id <"$work/last.out")
is "the bytes" "$(json bytes <"$work/last.out")" "$(stat -c %s "$work/train.jsonl")"
ok ask "$url/files" -F purpose=fine-tune -F "file=@$work/test.jsonl"
test=$(json id <"$work/last.out")
ok ask "$url/fine_tuning/jobs" -H "Content-Type: application/json" -d "{\"model\": \"encoder\", \"training_file\": \"$train\",
    \"validation_file\": \"$test\", \"suffix\": \"bank\", \"hyperparameters\": {\"n_epochs\": 3, \"batch_size\": 16}}"
job=$(json id <"$work/last.out")

# In the middle of the second epoch everything that works on it is killed: worker, learner, server.
for _ in $(seq 1200); do grep -q '"event":"checkpoint"' "$ROOTSTOCK_HOME/jobs/$job/events.jsonl" 2>/dev/null && break; sleep 0.05; done
kept=$(sed -n 's/.*"event":"checkpoint","step":\([0-9]*\).*/\1/p' "$ROOTSTOCK_HOME/jobs/$job/events.jsonl" | tail -n 1)
[ -n "$kept" ] || fault "there is a checkpoint within a minute"
worker=$(pgrep -P "$server" rootstock)
kill -KILL "$worker" "$(pgrep -P "$worker" rootstock-learn)" "$server"
wait "$server" 2>/dev/null || true
is "the job" "$(sqlite3 "$ROOTSTOCK_HOME/rootstock.db" "SELECT state FROM job")" running

# Another server's worker takes it over when the lease has ended, and loses at most what came after the checkpoint.
serve 1
wait_for "$job" succeeded 300
resumed=$(sed -n 's/.*"event":"started".*"resumed_from":\([0-9]*\).*/\1/p' "$ROOTSTOCK_HOME/jobs/$job/events.jsonl" | tail -n 1)
[ "$resumed" -ge "$kept" ] || fault "it resumed from $kept or later (it was $resumed)"
is "leases" "$(sqlite3 "$ROOTSTOCK_HOME/rootstock.db" "SELECT attempts FROM job")" 2

ok ask "$url/fine_tuning/jobs/$job"
tuned=$(json fine_tuned_model <"$work/last.out")
tokens=$(json trained_tokens <"$work/last.out")
ok ask "$url/classify" -H "Content-Type: application/json" -d "{\"model\": \"$tuned\", \"input\": \"I lost my card and need another\"}"
is "who answers" "$(json model <"$work/last.out")" "$tuned"
accuracy=$(sqlite3 "$ROOTSTOCK_HOME/rootstock.db" "SELECT json_extract(metrics, '$.accuracy') FROM adapter")
awk "BEGIN { exit !($accuracy >= 0.9) }" || fault "accuracy on the validation file is at least 0.9: $accuracy"
ok ask "$url/fine_tuning/jobs/$job/events?limit=100"
said "New fine-tuned model created: $tuned"
is "what is charged" "$(sqlite3 "$ROOTSTOCK_HOME/rootstock.db" "SELECT input_tokens FROM usage_event WHERE operation = 'fine_tune'")" "$tokens"
kill -TERM "$server"
wait "$server" || fault "the server stops cleanly"
ok rootstock ledger verify
echo "accuracy $accuracy on $(wc -l <"$work/test.jsonl") rows, resumed from step $resumed"
finish
