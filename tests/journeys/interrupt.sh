#!/usr/bin/env bash
# Tuning that is stopped, killed or robbed of its learner goes on from its checkpoint, and registers one version.
. "$(dirname "$0")/lib.sh"
[ -x "$bin/rootstock-learn" ] || { echo "skipped: no rootstock-learn in $bin"; exit 77; }

ok rootstock pull "file:$tiny" --name tiny
data=$work/rows.csv
{ echo "text,label"; for i in $(seq 500); do echo "my card number $i is lost,card"; echo "send a refund of $i,refund"; done; } >"$data"
settings=(--base tiny --data "$data" --task classify --name cards --max-tokens 32 --epochs 400 --patience 400 --seed 7)

# start LOG: tunes in the background; returns when the first checkpoint is there. Sets $flow and $job.
start() {
    : >"$1"  # read before the command has made it
    rootstock finetune "${settings[@]}" >"$1" 2>&1 &
    flow=$!
    background+=("$flow")
    for _ in $(seq 600); do
        job=$(sed -n 's/^job *\(job_[0-9a-f]*\).*/\1/p' "$1")
        [ -n "$job" ] && [ -e "$ROOTSTOCK_HOME/jobs/$job/checkpoint" ] && return
        kill -0 "$flow" 2>/dev/null || { cp "$1" "$work/last.out"; fault "tuning goes on"; }
        sleep 0.05
    done
    fault "there is a checkpoint after half a minute"
}
state() { sqlite3 "$ROOTSTOCK_HOME/rootstock.db" "SELECT state FROM job WHERE id = '$1'"; }
learner() { pgrep -P "$flow" -f rootstock-learn; }
end_of() { # end_of PROCESS: waits for it, sets $status
    status=0
    wait "$1" || status=$?
}
gone() { # the process ends within ten seconds
    for _ in $(seq 200); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.05; done
    fault "process $1 ends"
}

# Ctrl-C: a checkpoint is kept, and the last line says how to go on.
start "$work/first.log"
kill -INT "$flow"
end_of "$flow"
is "the status" "$status" 130
grep -q "go on with: rootstock finetune --resume $job" "$work/first.log" || fault "it says how to go on: $(tail -n 2 "$work/first.log")"
is "the job" "$(state "$job")" cancelled
is "adapters" "$(ls "$ROOTSTOCK_HOME/adapters" | wc -l)" 0
first=$job

# kill -9 of the whole command: the learner ends too, and the job can be taken up.
start "$work/second.log"
child=$(learner)
refused 1 "is running" rootstock finetune --resume "$job"
kill -KILL "$flow"
wait "$flow" 2>/dev/null || true
gone "$child"
is "the job" "$(state "$job")" running
second=$job

# The learner alone is killed: it is started once more; the second death ends the job.
start "$work/third.log"
kill -KILL "$(learner)"
for _ in $(seq 200); do grep -q "started once more" "$work/third.log" && break; sleep 0.05; done
grep -q "ended by signal 9" "$work/third.log" || fault "the death is told: $(cat "$work/third.log")"
for _ in $(seq 200); do learner >/dev/null && break; sleep 0.05; done
kill -KILL "$(learner)"
end_of "$flow"
is "the status" "$status" 1
is "the job" "$(state "$job")" failed

# A job that finished cannot go on; unfinished ones run to their end and register one version each.
settings=(--base tiny --data "$data" --task classify --name cards --max-tokens 32 --epochs 1 --seed 7)
ok rootstock finetune "${settings[@]}" --json
done_job=$(json job <"$work/last.out")
refused 1 "succeeded and cannot go on" rootstock finetune --resume "$done_job"
is "versions" "$(rootstock adapters --json | json adapters | grep -o '"adapter"' | wc -l)" 1
is "states" "$(sqlite3 "$ROOTSTOCK_HOME/rootstock.db" "SELECT group_concat(state, ' ') FROM (SELECT state FROM job ORDER BY id)")" \
    "cancelled running failed succeeded"

# Short jobs: one interrupted and taken up gives the same weights as one left alone.
settings=(--base tiny --data "$data" --task classify --name twice --max-tokens 32 --epochs 12 --patience 12 --seed 9)
ok rootstock finetune "${settings[@]}" --json
alone=$(json folder <"$work/last.out")
start "$work/fourth.log"
kill -TERM "$flow"
end_of "$flow"
if [ "$status" -eq 130 ]; then ok rootstock finetune --resume "$job"; else is "the status" "$status" 0; fi
resumed=$ROOTSTOCK_HOME/adapters/$(rootstock adapters --json | json adapters adapter=twice@2 id)
cmp "$alone/adapter_model.safetensors" "$resumed/adapter_model.safetensors" || fault "the weights are the same"
finish
