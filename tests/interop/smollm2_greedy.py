#!/usr/bin/env python3
"""What transformers writes, greedily, behind the same conversations: smollm2_greedy.py FOLDER ANSWERS.jsonl TOKENS

FOLDER is the model as a Hugging Face folder in fp32. ANSWERS.jsonl holds one object a line, {"prompt", "content"}: what
`rootstock chat --fp32 --temperature 0 --json` said. Fails when one answer differs.
"""
import json
import sys

import torch
import transformers

folder, answers, tokens = sys.argv[1], sys.argv[2], int(sys.argv[3])
tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
model = transformers.AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32).eval()
different = 0
lines = [json.loads(line) for line in open(answers, encoding="utf-8")]
for line in lines:
    ids = tokenizer.apply_chat_template([{"role": "user", "content": line["prompt"]}], add_generation_prompt=True,
                                        return_tensors="pt")
    with torch.no_grad():
        written = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=False,
                                 temperature=None, top_p=None, pad_token_id=0)
    theirs = tokenizer.decode(written[0, ids.shape[1]:], skip_special_tokens=True)
    if theirs != line["content"]:
        different += 1
        print(f"prompt: {line['prompt']}\n  transformers: {theirs!r}\n  rootstock:    {line['content']!r}")
print(f"{len(lines) - different} of {len(lines)} answers of up to {tokens} tokens are transformers'")
sys.exit(1 if different else 0)
