#!/usr/bin/env python3
"""What a table model is worth beside what one would use instead, on the same rows.

    python3 -m venv build/table-env && build/table-env/bin/pip install scikit-learn==1.5.2
    build/table-env/bin/python bench/peers/table_peer.py SHARED_DATA [--rootstock build/release/bin/rootstock]
        [--data german|ai4i] [--seeds 3] [-- OPTIONS OF rootstock finetune]

For each data set and seed a fifth of the rows is set aside, in proportion to the classes. `rootstock finetune --task table`
learns from the others (and holds out rows of its own among them), with no setting but the seed and the dropped columns.
scikit-learn's logistic regression (numbers standardised, categories one-hot) and HistGradientBoostingClassifier learn from
the same others, each with its defaults; the second stops early by itself. Printed: ROC AUC and seconds of each on the rows
set aside, by seed and in the mean. The five columns of ai4i2020 that name the kind of failure are dropped: they give the
answer away.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

LEAKS = ("TWF", "HDF", "PWF", "OSF", "RNF")


def german(data):
    with open(data / "german-credit" / "german.csv") as file:
        rows = list(csv.reader(file))
    names = [f"c{i}" for i in range(1, 21)] + ["risk"]
    return names, rows, "risk", "2", ()


def ai4i(data):
    with open(data / "ai4i2020" / "ai4i2020.csv", newline="", encoding="utf-8-sig") as file:
        names, *rows = list(csv.reader(file, delimiter="\t"))
    return names, rows, "Machine failure", "1", LEAKS + ("UDI", "Product ID")


SETS = {"german": german, "ai4i": ai4i}


def write(path, names, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([names, *rows])


def is_number(values):
    try:
        return [float(value) for value in values] is not None
    except ValueError:
        return False


def columns_of(names, rows, label, dropped):
    kept = [i for i, name in enumerate(names) if name != label and name not in dropped]
    numbers = [i for i in kept if is_number([row[i] for row in rows])]
    return numbers, [i for i in kept if i not in numbers]


def peers(names, train, test, label, positive, dropped):
    numbers, categories = columns_of(names, train, label, dropped)
    place = names.index(label)
    truth = [[row[place] == positive for row in rows] for rows in (train, test)]
    table = [numpy.array([[float(row[i]) for i in numbers] + [row[i] for i in categories] for row in rows], dtype=object)
             for rows in (train, test)]
    left, right = list(range(len(numbers))), list(range(len(numbers), len(numbers) + len(categories)))
    logistic = make_pipeline(make_column_transformer((StandardScaler(), left), (OneHotEncoder(handle_unknown="ignore"), right)),
                             LogisticRegression(max_iter=2000))
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=numpy.nan, encoded_missing_value=numpy.nan)
    boosting = make_pipeline(make_column_transformer(("passthrough", left), (ordinal, right)),
                             HistGradientBoostingClassifier(categorical_features=right, early_stopping=True, random_state=0))
    for name, model in (("logistic regression", logistic), ("gradient boosting", boosting)):
        begin = time.monotonic()
        model.fit(table[0], truth[0])
        seconds = time.monotonic() - begin
        yield name, roc_auc_score(truth[1], model.predict_proba(table[1])[:, 1]), seconds


def ours(program, folder, names, train, test, label, dropped, seed, options):
    write(folder / "train.csv", names, train)
    write(folder / "test.csv", names, test)
    drop = ["--drop", ",".join(dropped)] if dropped else []
    begin = time.monotonic()
    subprocess.run([program, "--home", folder / "home", "--json", "finetune", "--task", "table", "--data", folder / "train.csv",
                    "--eval", folder / "test.csv", "--label", label, "--name", "peer", "--seed", str(seed), "--report",
                    folder / "report.json", *drop, *options], check=True, stdout=subprocess.DEVNULL)
    return json.loads((folder / "report.json").read_text())["roc_auc"], time.monotonic() - begin


def main():
    before, options = (sys.argv[1:], []) if "--" not in sys.argv else (
        sys.argv[1:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:])
    parser = argparse.ArgumentParser()
    parser.add_argument("shared", type=pathlib.Path)
    parser.add_argument("--rootstock", default="build/release/bin/rootstock")
    parser.add_argument("--data", choices=SETS, action="append")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args(before)
    for data in arguments.data or SETS:
        names, rows, label, positive, dropped = SETS[data](arguments.shared)
        found = {}
        for seed in range(arguments.seeds):
            classes = [row[names.index(label)] for row in rows]
            train, test = train_test_split(rows, test_size=0.2, random_state=seed, stratify=classes)
            with tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                mine = ours(arguments.rootstock, folder, names, train, test, label, dropped, seed, options)
            for name, auc, seconds in [("rootstock", *mine), *peers(names, train, test, label, positive, dropped)]:
                found.setdefault(name, []).append((auc, seconds))
                print(f"{data} seed {seed}: {name:20} AUC {auc:.4f}  {seconds:6.1f} s", flush=True)
        for name, results in found.items():
            aucs, seconds = zip(*results)
            print(f"{data} mean:   {name:20} AUC {numpy.mean(aucs):.4f} +- {numpy.std(aucs):.4f}  {numpy.mean(seconds):6.1f} s")


if __name__ == "__main__":
    main()
