#!/usr/bin/env bash
# A model arrives by the Hub's protocol, from a stand-in on the loopback: resumed, verified, and no token goes astray.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }

hub() { # hub NAME OPTIONS...: starts a stand-in; sets HF_ENDPOINT and $log
    log=$work/$1.log
    : >"$log"
    python3 "$here/hub_server.py" "$work/repository" --repo acme/tiny-bert --log "$log" "${@:2}" >"$work/$1.port" &
    background+=($!)
    export HF_ENDPOINT=http://127.0.0.1:$(first_line "$work/$1.port")
}
fresh_home() { export ROOTSTOCK_HOME=$work/home-$1; }
export no_proxy=127.0.0.1
unset HF_TOKEN

cp -r "$tiny" "$work/repository"
mkdir "$work/repository/onnx" "$work/repository/1_Pooling"
echo other >"$work/repository/onnx/model.onnx"
echo pickle >"$work/repository/pytorch_model.bin"
echo '{"pooling_mode_mean_tokens": true}' >"$work/repository/1_Pooling/config.json"
printf -- '---\nlicense: apache-2.0\n---\n# Tiny\n' >"$work/repository/README.md"
whole=$(stat -c %s "$tiny/model.safetensors")

# The same bytes as from the folder: the same id. Only what is needed is fetched.
ok rootstock pull "file:$tiny"
id=$(tail -n 1 "$work/last.out")
fresh_home plain
hub plain
ok rootstock pull hf:acme/tiny-bert
is "the id" "$(tail -n 1 "$work/last.out")" "$id"
said "licence apache-2.0"
grep -q onnx "$log" && fault "other formats stay away"
grep -q pytorch_model "$log" && fault "pickles stay away"
[ -f "$ROOTSTOCK_HOME/models/$id"*/1_Pooling/config.json ] || fault "pooling settings are kept"

# A second time needs no network.
requests=$(wc -l <"$log")
ok rootstock pull hf:acme/tiny-bert
is "the id" "$(tail -n 1 "$work/last.out")" "$id"
is "requests" "$(wc -l <"$log")" "$requests"
ok rootstock pull hf:acme/tiny-bert@v1.0
refused 1 "the Hub knows no model" rootstock pull hf:acme/tiny-bert@v9
refused 1 "the Hub knows no model" rootstock pull hf:acme/nothing

# Broken three times, it goes on where it stopped and every byte travels once.
fresh_home broken
hub broken --break-after 30000 --breaks 3
ok rootstock pull hf:acme/tiny-bert
is "the id" "$(tail -n 1 "$work/last.out")" "$id"
is "ranges asked for" "$(grep -o 'cdn .*range=[^ ]*' "$log" | sed 's/.*range=//' | tr '\n' ' ')" \
    "- bytes=30000- bytes=60000- bytes=90000- "

# Killed in the middle, the next pull goes on from the partial file.
fresh_home killed
hub killed --break-after 20000 --breaks 1000
rootstock pull hf:acme/tiny-bert >/dev/null 2>&1 &
pull=$!
for _ in $(seq 200); do
    find "$ROOTSTOCK_HOME/downloads" -name 'model.safetensors.part' -size +0 2>/dev/null | grep -q . && break
    sleep 0.02
done
kill -KILL $pull
wait $pull 2>/dev/null || true
part=$(find "$ROOTSTOCK_HOME/downloads" -name 'model.safetensors.part')
here_already=$(stat -c %s "$part")
[ "$here_already" -gt 0 ] && [ "$here_already" -lt "$whole" ] || fault "a part is kept: $here_already"
is "models" "$(ls "$ROOTSTOCK_HOME/models" | wc -l)" 0
ok rootstock pull hf:acme/tiny-bert
grep -q "range=bytes=$here_already-" "$log" || fault "the second pull goes on at $here_already"
is "the id" "$(tail -n 1 "$work/last.out")" "$id"

# Bytes that contradict their digest never become a model.
fresh_home corrupt
hub corrupt --corrupt
refused 1 "where the Hub says" rootstock pull hf:acme/tiny-bert
is "models" "$(ls "$ROOTSTOCK_HOME/models" | wc -l)" 0

# A token opens what is private, goes to the Hub only, and is never printed.
fresh_home private
hub private --token hf_secret_of_mine
refused 1 "set HF_TOKEN" rootstock pull hf:acme/tiny-bert
export HF_TOKEN=hf_secret_of_mine
ok rootstock pull hf:acme/tiny-bert
grep -q 'hub .*auth=Bearer hf_secret_of_mine' "$log" || fault "the Hub gets the token"
grep -q 'cdn .*auth=-' "$log" || fault "the redirect's target was asked"
grep -q 'cdn .*auth=Bearer' "$log" && fault "the token stays with the Hub"
grep -q hf_secret "$work/last.out" "$work/last.err" && fault "the token is not printed"
grep -rq hf_secret "$ROOTSTOCK_HOME" && fault "the token is not stored"
HF_TOKEN=wrong refused 1 "accept the model's terms, or use another token" rootstock pull hf:acme/tiny-bert --refresh

# No Hub at all.
HF_ENDPOINT=http://127.0.0.1:1 refused 1 "Couldn't connect to server" timeout 60 rootstock pull hf:acme/other
HF_ENDPOINT=nonsense refused 1 "no http(s) address" rootstock pull hf:acme/other
finish
