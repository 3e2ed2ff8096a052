"""Two homes on one set of records on PostgreSQL, as two machines have them: the same models and adapters, a server each.
The database server is the one that ctest started ($ROOTSTOCK_TEST_POSTGRES)."""
import json
import os
import pathlib
import shutil
import subprocess
import types

import harness

ADDRESS = os.environ.get("ROOTSTOCK_TEST_POSTGRES", "")
SOCKET = ADDRESS.rsplit("host=", 1)[-1]


def psql(sql):
    return subprocess.run(["psql", "-XqAt", "-h", SOCKET, "-U", "rootstock", "-d", "rootstock", "-c", sql], check=True,
                          capture_output=True, text=True).stdout.strip()


class TwoHomes:
    """`moved` is what `rootstock store migrate` told of the way from the first home's file."""

    def __init__(self, name):
        self.schema = f"{name}_{os.getpid()}"
        psql(f"CREATE SCHEMA {self.schema}")
        self.store = f"{ADDRESS}&options=-csearch_path%3D{self.schema}"
        os.environ.pop("ROOTSTOCK_STORE", None)
        self.first = harness.Home()  # on SQLite; it moves
        self.moved = json.loads(self.command("--json", "store", "migrate", "--from",
                                             f"sqlite:{self.first.folder}/rootstock.db", "--to", self.store))
        (self.first.folder / "store").write_text(self.store + "\n")
        self.second = types.SimpleNamespace(folder=pathlib.Path(f"{self.first.folder}-other"))
        shutil.copytree(self.first.folder, self.second.folder, symlinks=True)

    def __iter__(self):
        return iter((self.first, self.second))

    def command(self, *words):
        return subprocess.run([harness.BIN / "rootstock", "--home", self.first.folder, *words], check=True,
                              capture_output=True, text=True).stdout

    def value(self, sql):
        return psql(f"SET search_path = {self.schema}; {sql}")

    def logs(self):
        return [(home.folder / "serve.log").read_text() for home in self]

    def remove(self):
        self.first.remove()
        shutil.rmtree(self.second.folder)
        psql(f"DROP SCHEMA {self.schema} CASCADE")
