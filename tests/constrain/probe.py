"""The program constrain_probe as a Python object; see constrain_probe.cpp."""
import json
import os
import pathlib
import subprocess

SHARED = pathlib.Path(os.environ.get("ROOTSTOCK_SHARED_DATA", pathlib.Path(__file__).parents[3] / "shared" / "data"))


class Probe:
    def __init__(self, tokenizer):
        program = pathlib.Path(os.environ.get("ROOTSTOCK_BIN", pathlib.Path(__file__).parents[2] / "build/release/bin"))
        place = SHARED / "tokenizers" / tokenizer
        if not place.exists():
            raise SystemExit(77)  # the shared data is not here: the test is skipped
        self.process = subprocess.Popen([program / "constrain_probe", place], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def ask(self, **task):
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"constrain_probe died on {json.dumps(task)[:2000]}")
        return json.loads(line)
