#!/usr/bin/env bash
# Pictures: a vision model arrives, an adapter is tuned on real ultrasound pictures (a folder for each class), measured, and
# asked from the terminal. The model is the tiny random one of tests/golden/families/vit, for no package carries the weights
# of a small pretrained one; what it learns is little, every step is the real one.
. "$(dirname "$0")/lib.sh"
pictures=${ROOTSTOCK_SHARED_DATA:-$repo/../shared/data}/busi-ultrasound
[ -x "$bin/rootstock-learn" ] || { echo "skipped: no rootstock-learn in $bin"; exit 77; }
[ -d "$pictures" ] || { echo "skipped: no $pictures"; exit 77; }

mkdir "$work/vit"
cp "$repo/tests/golden/families/vit/"{config.json,model.safetensors} "$work/vit"
refused 1 "preprocessor_config.json" rootstock pull "file:$work/vit" --name vit
cat >"$work/vit/preprocessor_config.json" <<'JSON'
{"image_processor_type": "ViTImageProcessor", "size": {"height": 24, "width": 24}, "image_mean": [0.5, 0.5, 0.5],
 "image_std": [0.5, 0.5, 0.5], "do_resize": true, "do_normalize": true, "do_rescale": true, "resample": 2}
JSON
ok rootstock pull "file:$work/vit" --name vit

# 60 pictures of each class to learn from, 20 others to measure with; one file is no picture.
for class in benign malignant normal; do
    mkdir -p "$work/train/$class" "$work/test/$class"
    find "$pictures/$class" -name '*.png' | sort >"$work/list"
    sed -n 1,60p "$work/list" | while read -r file; do cp "$file" "$work/train/$class"; done
    sed -n 61,80p "$work/list" | while read -r file; do cp "$file" "$work/test/$class"; done
done
echo "no picture" >"$work/train/benign/notes.png"

refused 1 "folder for each class" rootstock finetune --base vit --task image --data "$work/train/benign" --name x
ok rootstock finetune --base vit --task image --data "$work/train" --eval "$work/test" --name lumps --epochs 6 --lr 0.01 \
    --report "$work/report.json"
said "181 pictures, 180 usable, 3 labels"
said "1 picture was kept aside"
said "self-tests agree with the learner"
accuracy=$(json accuracy <"$work/report.json")
# The base is a tiny random one: how well it learns says nothing, so its accuracy is told and not judged.
echo "accuracy $accuracy on 60 pictures of three classes"

# Asked on the spot: the likeliest class of a picture, or all of them.
one=$(sed -n 70p "$work/list")
ok rootstock classify lumps "$one" --json --top 3
said '"label"'
is "classes" "$(json labels <"$work/last.out" | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" 3
ok rootstock classify vit "$one"
said "class"
refused 1 "notes.png" rootstock classify lumps "$work/train/benign/notes.png"
refused 1 "neither an adapter nor a base model" rootstock classify nobody "$one"

# The same bytes give the same adapter.
ok rootstock finetune --base vit --task image --data "$work/train" --eval "$work/test" --name lumps --epochs 6 --lr 0.01
weights() { sha256sum "$ROOTSTOCK_HOME/adapters/$(rootstock adapters --json | json adapters "adapter=$1" id)/adapter_model.safetensors" | cut -d' ' -f1; }
is "the weights of the second run" "$(weights lumps@2)" "$(weights lumps@1)"
finish
