#!/usr/bin/env python3
"""The JSON Schema test suite (draft 2020-12), as the source package of jsonschema brings it along.

    schema_suite.py [FOLDER]      without a folder, pip fetches the package into build/schema-suite

For each schema of the suite that can be compiled: no instance that it calls invalid may be allowed, and what random
tokens write must validate. Instances it calls valid are counted: some are left out on purpose (docs/formats/json-schema.md).
Keywords that are refused are listed with their counts.
"""
import collections
import json
import pathlib
import subprocess
import sys
import tarfile

try:
    import jsonschema
except ImportError:
    print("the Python package jsonschema is not here")
    raise SystemExit(77)

from probe import Probe

VERSION = "4.26.0"


def suite_folder():
    if len(sys.argv) > 1:
        return pathlib.Path(sys.argv[1])
    place = pathlib.Path(__file__).parents[2] / "build" / "schema-suite"
    package = place / f"jsonschema-{VERSION}.tar.gz"
    if not package.exists():
        fetched = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "jsonschema",
                                  "-d", place, f"jsonschema=={VERSION}"], capture_output=True)
        if fetched.returncode != 0 or not package.exists():
            print("the suite cannot be fetched")
            raise SystemExit(77)
    with tarfile.open(package) as archive:
        archive.extractall(place, filter="data")
    return place / f"jsonschema-{VERSION}" / "json" / "tests" / "draft2020-12"


def main():
    folder = suite_folder()
    files = sorted(folder.glob("*.json")) + sorted((folder / "optional" / "format").glob("*.json"))
    probe = Probe("qwen3")
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    refused, left_out = collections.Counter(), collections.Counter()
    faults = []
    compiled = written = kept_out = valid = allowed_valid = 0
    for path in files:
        for group in json.loads(path.read_text(encoding="utf-8")):
            schema = group["schema"]
            texts = []
            for test in group["tests"]:
                texts += [json.dumps(test["data"], ensure_ascii=False), json.dumps(test["data"], ensure_ascii=False, indent=1)]
            answer = probe.ask(kind="json_schema", source=schema, walks=5, seed=1, tokens_max=120, accept=texts)
            if "error" in answer:
                words = answer["error"].split('"')
                refused[words[1] if "keyword" in words[0] else answer["reason"]] += 1
                continue
            compiled += 1
            for number, test in enumerate(group["tests"]):
                accepted = answer["accepted"][2 * number:2 * number + 2]
                # The suite's formats are only optional; ours always hold.
                if test["valid"]:
                    valid += 1
                    allowed_valid += all(accepted)
                    if not all(accepted):
                        left_out[path.stem] += 1
                else:
                    kept_out += 1
                    if any(accepted):
                        faults.append(f"{path.stem}: allows {test['data']!r}: {json.dumps(schema)}")
            try:
                validator = jsonschema.Draft202012Validator(schema, format_checker=checker)
                for text in answer["texts"] if not answer["cut"] else []:
                    written += 1
                    if not validator.is_valid(json.loads(text)):
                        faults.append(f"{path.stem}: wrote {text!r}: {json.dumps(schema)}")
            except (ValueError, RecursionError) as fault:
                faults.append(f"{path.stem}: {fault}: {json.dumps(schema)}")
    for fault in faults[:40]:
        print(fault)
    print("refused: " + ", ".join(f"{name} {count}" for name, count in refused.most_common()))
    print("valid instances not written, by file: " + ", ".join(f"{name} {count}" for name, count in left_out.most_common()))
    print(f"{compiled} schemas compiled, {sum(refused.values())} refused; {kept_out} invalid instances kept out; "
          f"{allowed_valid} of {valid} valid ones allowed; {written} texts written; {len(faults)} faults")
    sys.exit(1 if faults or compiled < 100 else 0)


main()
