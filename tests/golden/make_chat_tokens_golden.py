#!/usr/bin/env python3
"""Which tokens of a conversation transformers counts as the assistant's.

    build/golden-env/bin/python tests/golden/make_chat_tokens_golden.py

writes tests/golden/chat_tokens.json: {"tokenizer", "cases": [{"template", "plain", "messages", "ids", "mask"}]}, where
"template" marks the assistant's words with generation blocks, "plain" is the same without them, and "ids" and "mask" are
what apply_chat_template(..., return_assistant_tokens_mask=True) gives for "template". (It finds no token for a marked
space, so no marked part begins or ends with one here.)
"""
import json
import os
import pathlib

os.environ["HF_HUB_OFFLINE"] = "1"

import transformers

HERE = pathlib.Path(__file__).resolve().parent
TOKENIZER = "llama3_split"

TEMPLATES = {
    "turns": "{% for m in messages %}{% if m['role'] == 'assistant' %}<s>assistant\n[[{{ m['content'] }}</s>]]{{ '\\n' }}"
             "{% else %}<s>{{ m['role'] }}\n{{ m['content'] }}</s>\n{% endif %}{% endfor %}"
             "{% if add_generation_prompt %}<s>assistant\n{% endif %}",
    "words": "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'assistant' %}ASSISTANT: [[{{ m['content'] }}"
             "{{ eos_token }}]]{% else %}{{ m['role'] | upper }}: {{ m['content'] }}\n{% endif %}{% endfor %}"
             "{% if add_generation_prompt %}ASSISTANT: {% endif %}",
}

CONVERSATIONS = [
    [("user", "Where is my card?"), ("assistant", "It left on Monday.")],
    [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello, é and 你好 🎉!"), ("user", "Bye now"),
     ("assistant", "So long,\n\nand thanks")],
    [("user", "  spaces  "), ("assistant", "more  spaces")],
]


def case(tokenizer, template, turns):
    marked = template.replace("[[", "{% generation %}").replace("]]", "{% endgeneration %}")
    messages = [{"role": role, "content": content} for role, content in turns]
    result = tokenizer.apply_chat_template(messages, chat_template=marked, tokenize=True, return_dict=True,
                                           return_assistant_tokens_mask=True)
    mask = result.get("assistant_masks")
    assert any(mask) and not all(mask)
    return {"template": marked, "plain": template.replace("[[", "").replace("]]", ""), "messages": messages,
            "ids": result["input_ids"], "mask": mask}


def main():
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(HERE / "tokenizers" / f"{TOKENIZER}.json"), bos_token="<s>", eos_token="</s>")
    cases = [case(tokenizer, template, turns) for template in TEMPLATES.values() for turns in CONVERSATIONS]
    (HERE / "chat_tokens.json").write_text(json.dumps({"tokenizer": TOKENIZER, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
