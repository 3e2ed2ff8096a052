#!/usr/bin/env python3
"""JSON schemas, both ways, judged by the jsonschema package.

    schema_walks.py [SCHEMAS] [SEED]

Random schemas, each with instances made to be valid. What the constraint lets a model of random will write must be JSON
that validates; every instance, spelled compactly and with indents and cut by a real tokenizer, must be allowed.
"""
import json
import math
import random
import sys

try:
    import jsonschema
except ImportError:
    print("the Python package jsonschema is not here")
    raise SystemExit(77)

from probe import Probe

CHECKER = jsonschema.Draft202012Validator.FORMAT_CHECKER
NAMES = ["name", "age", "e-mail", "tags", "a", "b", "items", "größe", "日本", 'quo"te', "back\\slash", "new\nline", "x y"]


def text(rng, low=0, high=12):
    alphabet = "abcXYZ 0129_-.,:;{}[]\"\\/\n\té日😀"
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(low, high)))


# Each maker gives a schema and a function that makes a valid instance.
def a_string(rng, depth):
    kind = rng.randrange(6)
    if kind == 0:
        return {"type": "string"}, lambda: text(rng)
    if kind == 1:
        low = rng.randint(0, 5)
        high = low + rng.choice([0, 1, 4, 40])
        return {"type": "string", "minLength": low, "maxLength": high}, lambda: text(rng, low, high)
    if kind == 2:
        return {"type": "string", "minLength": 3}, lambda: text(rng, 3, 9)
    if kind == 3:
        pattern, make = rng.choice([
            ("^[A-Z]{2,3}-\\d{4}$", lambda: rng.choice(["AB", "XYZ"]) + f"-{rng.randrange(10000):04}"),
            ("^(red|green|blue)$", lambda: rng.choice(["red", "green", "blue"])),
            ("\\d", lambda: text(rng) + str(rng.randrange(10)) + text(rng)),
            ("^a.*z$", lambda: "a" + text(rng).replace("\n", "") + "z"),
            ("^[^\"\\\\]{2,5}$", lambda: rng.choice(["ab", "日本語", "x y z"])),
        ])
        return {"type": "string", "pattern": pattern}, make
    if kind == 4:
        return ({"type": "string", "pattern": "^[a-c]*$", "minLength": 2, "maxLength": 5},
                lambda: "".join(rng.choice("abc") for _ in range(rng.randint(2, 5))))
    name, make = rng.choice([
        ("date", lambda: rng.choice(["2024-02-29", "1999-12-31", "2001-04-30"])),
        ("time", lambda: rng.choice(["12:30:00Z", "23:59:59.5+02:00"])),
        ("date-time", lambda: "2024-05-06T07:08:09Z"),
        ("email", lambda: rng.choice(["a.b@example.com", "x-y+z@mail.example.org"])),
        ("uuid", lambda: "123e4567-e89b-12d3-a456-426614174000"),
        ("ipv4", lambda: ".".join(str(rng.randrange(256)) for _ in range(4))),
        ("ipv6", lambda: rng.choice(["::1", "2001:db8::ff00:42:8329", "1:2:3:4:5:6:7:8", "::"])),
        ("hostname", lambda: rng.choice(["example.com", "a-b.c"])),
        ("duration", lambda: rng.choice(["P3D", "PT5M", "P1Y2M3DT4H5M6S", "P2W"])),
        ("uri", lambda: rng.choice(["https://example.com/a/b?", "http://a.b:80/x%20y"])[:-1] or "http://a"),
    ])
    return {"type": "string", "format": name}, make


def a_number(rng, depth):
    kind = rng.randrange(7)
    if kind == 0:
        return {"type": "integer"}, lambda: rng.choice([0, -1, 7, 123456789, -10**17])
    if kind == 1:
        return {"type": "number"}, lambda: rng.choice([0, -1.5, 3.14159, 1e-9, 2.5e20, 12])
    if kind == 2:
        low = rng.choice([-1000, -7, 0, 1, 18, 250])
        high = low + rng.choice([0, 3, 99, 123456])
        return {"type": "integer", "minimum": low, "maximum": high}, lambda: rng.randint(low, high)
    if kind == 3:
        low = rng.choice([-20, -1, 0, 5])
        return {"type": "integer", "exclusiveMinimum": low}, lambda: low + rng.randint(1, 1000)
    if kind == 4:
        step = rng.choice([2, 5, 7, 100])
        return ({"type": "integer", "multipleOf": step, "minimum": -50, "maximum": 5000},
                lambda: step * rng.randint(math.ceil(-50 / step), 5000 // step))
    if kind == 5:
        low = rng.choice([-2.5, -0.001, 0, 0.1, 99.95])
        high = round(low + rng.choice([0.05, 1, 7.25, 1000]), 6)
        return ({"type": "number", "minimum": low, "maximum": high},
                lambda: rng.choice([low, high, float(f"{low + (high - low) / 2:.6f}")]))
    low, high = rng.choice([(0, 1), (-1, 1), (-3.5, -0.25), (2.5, 2.75)])
    return ({"type": "number", "exclusiveMinimum": low, "exclusiveMaximum": high},
            lambda: float(f"{low + (high - low) * rng.choice([0.1, 0.5, 0.9]):.6f}") or 0.001)


def a_constant(rng, depth):
    values = rng.sample(["on", "off", 1, -2.5, True, None, "ja\n", [1, 2], {"k": []}, "日"], rng.randint(1, 4))
    if len(values) == 1:
        return {"const": values[0]}, lambda: values[0]
    return {"enum": values}, lambda: rng.choice(values)


def a_plain(rng, depth):
    return rng.choice([({"type": "boolean"}, lambda: rng.random() < 0.5), ({"type": "null"}, lambda: None),
                       ({}, lambda: rng.choice([1, "x", None, [True, {}], {"a": {"b": [1.5]}}])),
                       ({"type": ["string", "null"]}, lambda: rng.choice([None, "some"])),
                       (True, lambda: "any")])


def an_array(rng, depth):
    item, make = a_schema(rng, depth - 1)
    low = rng.randint(0, 3)
    high = low + rng.choice([0, 1, 3, 60])
    kind = rng.randrange(4)
    if kind == 0:
        return {"type": "array", "items": item}, lambda: [make() for _ in range(rng.randint(0, 3))]
    if kind == 1:
        return ({"type": "array", "items": item, "minItems": low, "maxItems": high},
                lambda: [make() for _ in range(rng.randint(low, min(high, low + 4)))])
    other, make_other = a_schema(rng, depth - 1)
    if kind == 2:
        return ({"type": "array", "prefixItems": [item, other], "items": False, "minItems": 2},
                lambda: [make(), make_other()])
    return ({"type": "array", "prefixItems": [item], "items": other, "minItems": low},
            lambda: ([make()] + [make_other() for _ in range(low)]))


def an_object(rng, depth):
    names = rng.sample(NAMES, rng.randint(0, 5))
    made = {name: a_schema(rng, depth - 1) for name in names}
    required = [name for name in names if rng.random() < 0.6]
    schema = {"type": "object", "properties": {name: made[name][0] for name in names}, "required": required}
    others = rng.randrange(4)
    if others < 2:
        schema["additionalProperties"] = False
    elif others == 2:
        schema["additionalProperties"] = {"type": "integer"}
    counted = rng.random() < 0.2 and names
    if counted:
        schema["minProperties"] = 1

    def instance():
        value = {name: made[name][1]() for name in names if name in required or rng.random() < 0.5}
        if others == 2 and rng.random() < 0.5:
            value["other"] = 5
        if counted and not value:
            value[names[0]] = made[names[0]][1]()
        return value
    return schema, instance


def a_map(rng, depth):
    value, make = a_schema(rng, depth - 1)
    if rng.random() < 0.5:
        return ({"type": "object", "additionalProperties": value},
                lambda: {text(rng).replace("/", ""): make() for _ in range(rng.randint(0, 3))})
    return ({"type": "object", "patternProperties": {"^x_": value}, "additionalProperties": False},
            lambda: {"x_" + rng.choice("abc"): make() for _ in range(rng.randint(0, 2))})


def alternatives(rng, depth):
    made = [a_schema(rng, depth - 1) for _ in range(rng.randint(2, 3))]
    return {"anyOf": [schema for schema, _ in made]}, lambda: rng.choice(made)[1]()


def exclusive(rng, depth):
    inner, make = a_schema(rng, depth - 1)
    kinds = ["circle", "square", "line"]

    def one(kind):
        return {"type": "object", "properties": {"kind": {"const": kind}, "value": inner}, "required": ["kind", "value"],
                "additionalProperties": False}
    return {"oneOf": [one(kind) for kind in kinds]}, lambda: {"kind": rng.choice(kinds), "value": make()}


def together(rng, depth):
    first, make_first = a_schema(rng, depth - 1)
    second, make_second = a_schema(rng, depth - 1)
    return ({"type": "object", "allOf": [{"properties": {"one": first}, "required": ["one"]},
                                         {"properties": {"two": second}}], "required": ["two"]},
            lambda: {"one": make_first(), "two": make_second()})


def a_schema(rng, depth):
    simple = [a_string, a_string, a_number, a_number, a_constant, a_plain]
    nested = [an_array, an_object, an_object, a_map, alternatives, exclusive, together]
    return rng.choice(simple + nested * 2 if depth > 0 else simple)(rng, depth)


def recursive(rng):
    def tree(depth):
        return {"v": rng.randrange(9), "kids": [tree(depth - 1) for _ in range(rng.randint(0, 2) if depth else 0)]}
    return ({"$ref": "#/$defs/node",
             "$defs": {"node": {"type": "object", "properties": {
                 "v": {"type": "integer"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
                 "required": ["v", "kids"], "additionalProperties": False}}}, lambda: tree(3))


def no_constants(pairs):
    return dict(pairs)


def judge(schema, written, where, faults):
    try:
        value = json.loads(written, parse_constant=lambda name: math.nan)
    except ValueError as fault:
        return faults.append(f"{where}: not JSON: {written!r}: {fault}")
    written.encode("utf-8")
    error = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(schema, format_checker=CHECKER).iter_errors(value))
    if error is not None:
        faults.append(f"{where}: {written!r} does not validate: {error.message}\n   {json.dumps(schema)}")


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    print(f"seed {seed}")
    rng = random.Random(seed)
    walks = accepted = refused = cut = 0
    slowest = 0.0
    faults = []
    for tokenizer in ["qwen3", "phi-3-mini", "gpt2"]:
        probe = Probe(tokenizer)
        for number in range(count):
            schema, make = recursive(rng) if number % 25 == 0 else a_schema(rng, 3)
            instances = [make() for _ in range(3)]
            validator = jsonschema.Draft202012Validator(schema, format_checker=CHECKER)
            instances = [one for one in instances if validator.is_valid(one)]
            spelled = [json.dumps(one, ensure_ascii=False) for one in instances]
            spelled += [json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in instances]
            spelled += [json.dumps(one, ensure_ascii=False, indent=2) for one in instances]
            answer = probe.ask(kind="json_schema", source=schema, walks=4, seed=rng.randrange(1 << 30),
                               tokens_max=rng.choice([60, 200]), accept=spelled)
            slowest = max(slowest, answer["compile_ms"])
            where = f"{tokenizer} {number}"
            if "error" in answer:
                refused += 1
                if answer["reason"] not in ("constraint_unsupported", "constraint_impossible"):
                    faults.append(f"{where}: {answer['error']}\n   {json.dumps(schema)}")
                continue
            cut += answer["cut"]
            walks += len(answer["texts"]) - answer["cut"]
            if not answer["cut"]:
                for written in answer["texts"]:
                    judge(schema, written, where, faults)
            for one, allowed in zip(spelled, answer["accepted"]):
                accepted += bool(allowed)
                if not allowed:
                    faults.append(f"{where}: refuses {one!r}\n   {json.dumps(schema)}")
    for fault in faults[:20]:
        print(fault)
    print(f"{walks} texts written, {accepted} instances accepted, {refused} schemas refused, {cut} texts cut, "
          f"slowest schema {slowest:.1f} ms, {len(faults)} faults")
    sys.exit(1 if faults or walks < count else 0)


main()
