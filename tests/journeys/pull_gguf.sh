#!/usr/bin/env bash
# A GGUF file is a model by itself: pulled from a file or out of a wheel it becomes a folder like any other, is listed, and goes
# out again in the files of other tools.
. "$(dirname "$0")/lib.sh"
gguf=$repo/tests/golden/gguf_bert.gguf

ok rootstock pull "file:$gguf" --name small
id=$(tail -n 1 "$work/last.out")
stored=$(echo "$ROOTSTOCK_HOME"/models/"$id"*)
is "files stored" "$(ls "$stored" | tr '\n' ' ')" "config.json model.gguf tokenizer.json tokenizer_config.json "
cmp "$stored/model.gguf" "$gguf" || fault "the file is stored byte by byte"
ok rootstock models --json
is "family" "$(json models 0 family <"$work/last.out")" bert
is "shape" "$(json models 0 shape <"$work/last.out" | cut -d, -f1,2)" "2 layers, 32 wide"

# The same file inside a wheel, as pip brings it: the same bytes, the same model.
mkdir "$work/wheels"
python3 - "$gguf" "$work/wheels/tiny_gguf-1.0-py3-none-any.whl" <<'PY'
import sys, zipfile
with zipfile.ZipFile(sys.argv[2], "w") as wheel:
    wheel.write(sys.argv[1], "tiny_gguf/Tiny.F16.gguf")
    info = "tiny_gguf-1.0.dist-info/"
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: tiny-gguf\nVersion: 1.0\nLicense: Apache-2.0\n\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "")
PY
ok env PIP_NO_INDEX=1 PIP_FIND_LINKS="$work/wheels" rootstock pull pypi:tiny-gguf
is "the id" "$(tail -n 1 "$work/last.out")" "$id"

# Out: a folder, which pulled again is the same numbers under another digest, and a GGUF file.
ok rootstock export small --format hf --output "$work/hf"
is "files" "$(ls "$work/hf" | tr '\n' ' ')" "config.json model.safetensors tokenizer.json tokenizer_config.json "
ok rootstock pull "file:$work/hf" --name as-folder
ok rootstock export as-folder --format gguf --output "$work/back.gguf" --json
is "nothing left out" "$(json left_out <"$work/last.out" | tr -d ' \n')" "[]"
ok rootstock pull "file:$work/back.gguf" --name back
refused 1 "already there" rootstock export small --format hf --output "$work/hf"
refused 1 "choose from hf, gguf, peft and merged" rootstock export small --format onnx --output "$work/x"
refused 1 "choose from f16, f32, q8_0 and q4_0" rootstock export small --format gguf --dtype q2 --output "$work/x.gguf"
refused 1 "no base model \`nothing\`" rootstock export nothing --format hf --output "$work/x"
refused 1 "no adapter \`nothing\`" rootstock merge nothing --output "$work/x"

# An adapter merged into its base is a model that can be pulled.
ok rootstock merge "$repo/tests/golden/peft_query_value" --base "$tiny" --output "$work/merged"
ok rootstock pull "file:$work/merged" --name merged
refused 1 "say which model it belongs to with --base" rootstock merge "$repo/tests/golden/peft_query_value" --output "$work/x"
refused 1 "has no place in a GGUF file" rootstock merge "$repo/tests/golden/peft_query_value" --base "$tiny" --output "$work/x.gguf"

# A damaged file says what to do, and nothing is kept.
head -c 30000 "$gguf" >"$work/cut.gguf"
refused 1 "fetch it again" rootstock pull "file:$work/cut.gguf"
is "leftovers" "$(ls "$ROOTSTOCK_HOME/downloads" | wc -l)" 0
finish
