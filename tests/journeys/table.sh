#!/usr/bin/env bash
# Tables: real rows of mixed columns become a schema and a model of their own, measured, promoted, asked for scores.
. "$(dirname "$0")/lib.sh"
credit=${ROOTSTOCK_SHARED_DATA:-$repo/../shared/data}/german-credit/german.csv
[ -x "$bin/rootstock-learn" ] || { echo "skipped: no rootstock-learn in $bin"; exit 77; }
[ -f "$credit" ] || { echo "skipped: no $credit"; exit 77; }

# 1,000 applicants, 20 columns without names, the answer in the 21st: every fourth row to measure with.
awk 'NR % 4 != 0' "$credit" >"$work/train.csv"
awk 'NR % 4 == 0' "$credit" >"$work/test.csv"
cut -d, -f1-20 "$work/test.csv" >"$work/ask.csv"
small=(--task table --blocks 1 --width 32 --heads 4 --epochs 8 --lr 2e-3)
refused 1 "--label is missing" rootstock finetune --task table --data "$work/train.csv" --name credit
refused 1 "there is no column \`22\`" rootstock finetune --task table --data "$work/train.csv" --name credit --label 22
refused 1 "makes a model of its own" rootstock finetune --task table --base x --data "$work/train.csv" --name credit --label 21
refused 1 "width" rootstock finetune --task table --label 21 --width 33 --data "$work/train.csv" --name credit
ok rootstock finetune "${small[@]}" --label 21 --data "$work/train.csv" --eval "$work/test.csv" --name credit --report "$work/report.json"
said "credit@1 is a candidate. Next: rootstock promote credit@1"
said "self-tests agree with the learner"
said "7 numbers, 13 categories"
auc=$(json roc_auc <"$work/report.json")
awk "BEGIN { exit !($auc >= 0.7) }" || fault "the ROC AUC is at least 0.7: $auc"
is "task" "$(rootstock adapters --json | json adapters 0 task)" table

# The same rows, settings and seed give the same weights.
ok rootstock finetune "${small[@]}" --label 21 --data "$work/train.csv" --eval "$work/test.csv" --name credit
weights() { sha256sum "$ROOTSTOCK_HOME/adapters/$(rootstock adapters --json | json adapters "adapter=$1" id)/model.safetensors" | cut -d' ' -f1; }
is "the weights of the second run" "$(weights credit@2)" "$(weights credit@1)"

# Scores: one line a row, the sum of a row's probabilities is one; the live version answers.
ok rootstock promote credit@1
ok rootstock score --model credit "$work/ask.csv"
grep -q "250 rows scored by credit@1" "$work/last.err" || fault "the live version is named"
said "row,21,probability,P(1),P(2)"
is "lines" "$(wc -l <"$work/last.out")" 251
awk -F, 'NR > 1 && ($4 + $5 < 0.999 || $4 + $5 > 1.001) { exit 1 }' "$work/last.out" || fault "probabilities add up to one"
cut -d, -f2 "$work/last.out" | tail -n +2 >"$work/answers"
accuracy=$(paste -d, "$work/answers" <(cut -d, -f21 "$work/test.csv") | awk -F, '$1 == $2 { n++ } END { print n / NR }')
awk "BEGIN { d = $accuracy - $(json accuracy <"$work/report.json"); exit !(d < 1e-9 && d > -1e-9) }" ||
    fault "the report's accuracy is that of the scores ($accuracy)"
cp "$work/last.out" "$work/from_file"
rootstock score --model credit - --csv <"$work/ask.csv" >"$work/from_input" 2>/dev/null
cmp "$work/from_file" "$work/from_input" || fault "standard input gives the same scores"
rootstock --json score --model credit "$work/ask.csv" --csv >"$work/last.out" && fault "one form is chosen"
said "choose one"
# A cell that is no number is told by row and column; a row that cannot be read likewise, and the others are scored.
sed -e '3s/^\([^,]*\),[^,]*/\1,often/' -e '5s/$/,one,more/' "$work/ask.csv" >"$work/odd.csv"
ok rootstock score --model credit "$work/odd.csv"
is "lines of 249 rows" "$(wc -l <"$work/last.out")" 250
grep -qF "row 3 (line 3), 2: 'often' is not a number; it counts as missing" "$work/last.err" || fault "the odd cell is told"
grep -qF "row 5 (line 5)" "$work/last.err" || fault "the odd row is told"
ok rootstock score --model credit@2 "$work/ask.csv" --json
is "model" "$(json model <"$work/last.out")" credit@2
is "row of the third answer" "$(json rows 2 row <"$work/last.out")" 3
ok rootstock score --model "$ROOTSTOCK_HOME/adapters/$(rootstock adapters --json | json adapters adapter=credit@1 id)" "$work/ask.csv"
refused 1 "there is no table model \`nothing\`; known are: credit@1, credit@2" rootstock score --model nothing "$work/ask.csv"
cut -d, -f1-19 "$work/ask.csv" >"$work/short.csv"
refused 1 "the rows lack the column '20'" rootstock score --model credit "$work/short.csv"

# The model as a folder that other tools read.
ok rootstock export credit --format hf --output "$work/exported"
[ -f "$work/exported/columns.json" ] || fault "the schema goes with the model"
ok rootstock score --model "$work/exported" "$work/ask.csv"
is "the exported model's third answer" "$(sed -n 4p "$work/last.out" | cut -d, -f1-2)" "3,$(sed -n 3p "$work/answers")"
refused 1 "adapter_config.json" rootstock export credit --format peft --output "$work/peft"

# A number as the answer, and a column that is left out: the amount from what else is known.
ok rootstock finetune "${small[@]}" --label 5 --drop 21 --data "$work/train.csv" --name amount --report "$work/amount.json"
said "RMSE"
said "column \`21\` is left out"
r2=$(json r2 <"$work/amount.json")
awk "BEGIN { exit !($r2 >= 0.2) }" || fault "a fifth of the variance is explained: $r2"
ok rootstock score --model amount "$work/test.csv"
said "row,5"
finish
