#!/usr/bin/env python3
"""Questions for llama.cpp, and its answers beside those of transformers.

    llama_cpp.py rows FOLDER                         three rows of ids of FOLDER's vocabulary, from seed 7
    llama_cpp.py prompts FOLDER CHATS.jsonl TOKENS   the conversations' prompts, and TOKENS to write; a line of CHATS.jsonl
                                                     is {"prompt", "content"}: what `rootstock chat` said
    llama_cpp.py compare FOLDER QUESTIONS ANSWERS MOST [CHATS.jsonl]

FOLDER has the numbers of the GGUF file that llama.cpp read, as a Hugging Face folder in fp32. The relative error of all
logits (Euclidean, after taking each token's mean away) is at most MOST, no text may be cut into other tokens, and with
CHATS.jsonl what llama.cpp writes is what we wrote, up to the first place where the two best tokens lie closer together than
MOST times the spread (standard deviation) of the logits there.
"""
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers

transformers.logging.set_verbosity_error()


def lines(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def rows(folder):
    config = transformers.AutoConfig.from_pretrained(folder)
    numbers = torch.Generator().manual_seed(7)
    for length in (1, 9, 40):
        print(json.dumps({"ids": torch.randint(config.vocab_size, (length,), generator=numbers).tolist()}))


def prompts(folder, chats, tokens):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    for chat in lines(chats):
        text = tokenizer.apply_chat_template([{"role": "user", "content": chat["prompt"]}], add_generation_prompt=True, tokenize=False)
        print(json.dumps({"ids": tokenizer(text)["input_ids"], "text": text, "write": int(tokens)}))


def same_text(tokenizer, model, question, answer, chat, most):
    """llama.cpp's tokens against our text: equal, or apart where two tokens are as good as even."""
    if tokenizer.decode(answer["written"], skip_special_tokens=True) == chat["content"]:
        return True
    ids = question["ids"] + answer["written"]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0, len(question["ids"]) - 1:-1]
    for step in range(len(answer["written"])):
        if logits[step].argmax().item() != answer["written"][step]:
            best = logits[step].topk(2).values
            gap = ((best[0] - best[1]) / logits[step].std()).item()
            assert gap <= most, f"{chat['prompt']}: apart at token {step}, where the best leads by {gap:.3f} of the spread"
            print(f"  {chat['prompt']!r}: apart from token {step} on, where the best leads by {gap:.4f} of the spread only")
            return False
    raise AssertionError(f"{chat['prompt']}: llama.cpp writes as transformers does, and we wrote {chat['content']!r}")


def compare(folder, questions, answers, most, chats=None):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    questions, answers, most = lines(questions), lines(answers), float(most)
    assert len(questions) == len(answers) > 0, (len(questions), len(answers))
    off = size = 0
    for question, answer in zip(questions, answers):
        assert answer.get("tokens", question["ids"]) == question["ids"], (question["text"], answer["tokens"])
        with torch.no_grad():
            theirs = model(torch.tensor([question["ids"]])).logits[0]
        found = torch.tensor(answer["logits"])
        assert found.shape == theirs.shape, (found.shape, theirs.shape)
        centred = theirs - theirs.mean(-1, keepdim=True)
        off += (found - found.mean(-1, keepdim=True) - centred).square().sum().item()
        size += centred.square().sum().item()
    error = (off / size) ** 0.5
    print(f"{len(questions)} rows: relative error of llama.cpp's logits {error:.1e}")
    assert error <= most, (error, most)
    if chats:
        said = lines(chats)
        equal = sum(same_text(tokenizer, model, *each, most) for each in zip(questions, answers, said, strict=True))
        print(f"{equal} of {len(said)} texts are ours to the last token")


{"rows": rows, "prompts": prompts, "compare": compare}[sys.argv[1]](*sys.argv[2:])
