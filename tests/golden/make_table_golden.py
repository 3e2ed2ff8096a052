#!/usr/bin/env python3
"""Golden numbers of column scaling, from scikit-learn, on the real tables.

    python3 -m venv build/table-env && build/table-env/bin/pip install scikit-learn==1.5.2
    build/table-env/bin/python tests/golden/make_table_golden.py SHARED_DATA

writes table_scaling.json beside itself: for each numeric column what StandardScaler and QuantileTransformer (to the
normal distribution, without subsampling) learn from the training rows (all but every fourth), and what they make of
sampled rows of the whole table and of values outside of what they saw.
"""
import csv
import json
import pathlib
import sys

import numpy
import sklearn
from sklearn.preprocessing import QuantileTransformer, StandardScaler

HERE = pathlib.Path(__file__).resolve().parent


def german(data):
    with open(data / "german-credit" / "german.csv") as file:
        rows = list(csv.reader(file))
    return "german-credit/german.csv", rows, {str(i): i - 1 for i in (2, 5, 8, 11, 13, 16, 18)}


def ai4i(data):
    with open(data / "ai4i2020" / "ai4i2020.csv", newline="") as file:
        head, *rows = list(csv.reader(file, delimiter="\t"))
    return "ai4i2020/ai4i2020.csv", rows, {name: i for i, name in enumerate(head) if "[" in name}


def cmapss(data):
    rows = [line.rstrip("\n").split(" ") for line in open(data / "cmapss-fd003" / "test_FD003.txt")]
    constant = {5, 6, 10, 21, 23, 24, 27, 28}
    return "cmapss-fd003/test_FD003.txt", rows, {str(i): i - 1 for i in range(1, 29) if i not in constant}


def column_golden(values, sampled):
    training = values[[i for i in range(len(values)) if i % 4 != 0]].reshape(-1, 1)
    standard = StandardScaler().fit(training)
    quantile = QuantileTransformer(n_quantiles=min(max(len(training) // 30, 10), 1000), subsample=None,
                                   output_distribution="normal").fit(training)
    low, high = training.min(), training.max()
    probes = numpy.concatenate([values[sampled], [low, high, low - 1, high + 1, (low + high) / 2, low + (high - low) / 7]])
    return {"mean": standard.mean_[0], "deviation": standard.scale_[0], "values": probes.tolist(),
            "standard": standard.transform(probes.reshape(-1, 1)).ravel().tolist(),
            "quantile": quantile.transform(probes.reshape(-1, 1)).ravel().tolist()}


def main():
    data, tables = pathlib.Path(sys.argv[1]), []
    for source in (german, ai4i, cmapss):
        name, rows, columns = source(data)
        sampled = list(range(0, len(rows), len(rows) // 20))[:20]
        golden = {c: column_golden(numpy.array([float(row[i]) for row in rows]), sampled) for c, i in columns.items()}
        tables.append({"file": name, "rows": len(rows), "sampled": sampled, "columns": golden})
    text = json.dumps({"library": f"scikit-learn {sklearn.__version__}", "tables": tables}, separators=(",", ":"))
    (HERE / "table_scaling.json").write_text(text.replace('{"mean"', '\n{"mean"') + "\n")


if __name__ == "__main__":
    main()
