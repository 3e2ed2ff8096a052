#!/usr/bin/env bash
# A model arrives from a folder: checked, stored once by its digest, listed, found by name and by digest.
. "$(dirname "$0")/lib.sh"

ok rootstock pull "file:$tiny"
id=$(tail -n 1 "$work/last.out")
[[ $id =~ ^[0-9a-f]{12}$ ]] || fault "the last word is the model's id: $id"
is "files stored" "$(ls "$ROOTSTOCK_HOME"/models/"$id"*/ | tr '\n' ' ')" \
    "config.json model.safetensors tokenizer.json tokenizer_config.json vocab.txt "

# Twice is the same as once, also from a copy elsewhere: the bytes count.
cp -r "$tiny" "$work/Copy of it"
ok rootstock pull "file:$work/Copy of it"
said "already here"
is "the id" "$(tail -n 1 "$work/last.out")" "$id"
ok rootstock models --json
is "models" "$(json models <"$work/last.out" | grep -o '"digest"' | wc -l)" 1
is "its name" "$(json models 0 name <"$work/last.out")" tiny_bert

# A name of one's own, also for what is here already.
ok rootstock pull "file:$tiny" --name Tiny-2
ok rootstock models
said Tiny-2
refused 1 "is no name for a model" rootstock pull "file:$tiny" --name "no name"

# Any byte of the weights makes another model.
cp -r "$tiny" "$work/other"
printf '\x01' | dd of="$work/other/model.safetensors" bs=1 seek=100000 conv=notrunc status=none
ok rootstock pull "file:$work/other" --name other
ok rootstock models --json
is "models" "$(json models <"$work/last.out" | grep -o '"digest"' | wc -l)" 2

# A stored model that was damaged since is noticed and replaced by the whole one.
stored=$(echo "$ROOTSTOCK_HOME"/models/"$id"*)
truncate -s 1000 "$stored/model.safetensors"
ok rootstock pull "file:$tiny"
cmp "$stored/model.safetensors" "$tiny/model.safetensors" || fault "the damaged model is whole again"

# A disk that is too small: said before a byte is written, and nothing stays behind.
model=${ROOTSTOCK_TEST_MODEL:-$repo/build/test-model}
mkdir "$work/small"
if [ -d "$model" ] && mount -t tmpfs -o size=20m tmpfs "$work/small" 2>/dev/null; then
    mounted=$work/small
    refused 1 "free some, or use another home folder" rootstock pull "file:$model" --home "$work/small"
    is "models on the small disk" "$(ls "$work/small/models" "$work/small/downloads" | grep -c -v -e : -e '^$' || true)" 0
fi

is "leftovers" "$(ls "$ROOTSTOCK_HOME/downloads" | wc -l)" 0
finish
