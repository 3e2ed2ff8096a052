#!/usr/bin/env python3
"""Golden numbers of the classification report, from scikit-learn (any version from 1.3 on) and NumPy.

    python3 -m venv /tmp/report-env && /tmp/report-env/bin/pip install scikit-learn
    /tmp/report-env/bin/python tests/golden/make_report_golden.py

writes report.json beside itself. Probabilities are whole numbers of 1/1024, so that float and double agree exactly.
The cases hold classes without examples, classes never predicted, equal probabilities, and a true class with
probability zero.
"""
import json
import pathlib

import numpy
import sklearn
from sklearn.metrics import (classification_report, confusion_matrix, log_loss, mean_absolute_error, mean_squared_error,
                             r2_score, roc_auc_score, top_k_accuracy_score)

HERE = pathlib.Path(__file__).resolve().parent
UNIT = 1024
BINS = 15


def random_case(generator, name, examples, classes, sharpness, skip_truth=(), skip_prediction=()):
    allowed = [c for c in range(classes) if c not in skip_truth]
    truth = generator.choice(allowed, size=examples)
    logits = generator.normal(size=(examples, classes)) * sharpness
    logits[numpy.arange(examples), truth] += sharpness
    logits[:, list(skip_prediction)] -= 50
    weights = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    units = numpy.floor(weights / weights.sum(axis=1, keepdims=True) * UNIT).astype(int)
    units[numpy.arange(examples), units.argmax(axis=1)] += UNIT - units.sum(axis=1)
    return name, truth, units


def handmade_case():
    units = [[512, 512, 0], [0, 512, 512], [1024, 0, 0], [0, 0, 1024], [342, 341, 341], [100, 24, 900]]
    return "equal and zero probabilities", numpy.array([1, 1, 0, 0, 0, 2]), numpy.array(units)


def calibration_error(truth, probabilities):
    """Guo et al., 2017: bins (low, high] of the top probability."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins, error = [], 0.0
    for b in range(BINS):
        low, high = b / BINS, (b + 1) / BINS
        inside = (confidence > low if b else confidence >= low) & (confidence <= high)
        n = int(inside.sum())
        mean_confidence = float(confidence[inside].mean()) if n else 0.0
        accuracy = float(right[inside].mean()) if n else 0.0
        bins.append({"count": n, "confidence": mean_confidence, "accuracy": accuracy})
        error += n / len(truth) * abs(accuracy - mean_confidence)
    return error, bins


def roc_auc(truth, probabilities):
    """One against the rest, over the classes that have both."""
    classes = [c for c in range(probabilities.shape[1]) if 0 < (truth == c).sum() < len(truth)]
    return float(numpy.mean([roc_auc_score(truth == c, probabilities[:, c]) for c in classes]))


def number_case(name, truth, predicted):
    return {"name": name, "truth": truth.tolist(), "predicted": predicted.tolist(),
            "rmse": float(mean_squared_error(truth, predicted) ** 0.5),
            "mae": float(mean_absolute_error(truth, predicted)), "r2": float(r2_score(truth, predicted))}


def golden_case(name, truth, units):
    probabilities, classes = units / UNIT, units.shape[1]
    every = list(range(classes))
    labels = [f"class {c}" for c in every]
    predicted = probabilities.argmax(axis=1)
    report = classification_report(truth, predicted, labels=every, target_names=labels, output_dict=True, zero_division=0)
    error, bins = calibration_error(truth, probabilities)
    one_hot = numpy.eye(classes)[truth]
    return {
        "name": name, "classes": classes, "truth": truth.tolist(), "units": units.ravel().tolist(),
        "expected": {
            "accuracy": float((predicted == truth).mean()),
            "per_class": [report[label] for label in labels],
            "macro": report["macro avg"], "weighted": report["weighted avg"],
            "confusion": confusion_matrix(truth, predicted, labels=every).ravel().tolist(),
            "top": {str(k): float(top_k_accuracy_score(truth, probabilities, k=k, labels=every))
                    for k in (1, 3, 5) if classes > max(k, 2) and name != "equal and zero probabilities"},
            "log_loss": float(log_loss(truth, probabilities, labels=every)),
            "brier": float(((probabilities - one_hot) ** 2).sum(axis=1).mean()),
            "calibration_error": error, "bins": bins, "roc_auc": roc_auc(truth, probabilities),
        },
    }


def main():
    generator = numpy.random.default_rng(20240607)
    cases = [random_case(generator, "two classes", 60, 2, 1.0), random_case(generator, "eight classes", 150, 8, 1.5),
             random_case(generator, "absent and never predicted classes", 80, 7, 1.2, (2,), (2, 5)), handmade_case()]
    truth = numpy.round(generator.normal(size=40) * 50, 3)
    numbers = [number_case("near", truth, truth + numpy.round(generator.normal(size=40) * 9, 3)),
               number_case("worse than the mean", truth, -truth)]
    golden = {"library": f"scikit-learn {sklearn.__version__}", "unit": UNIT, "cases": [golden_case(*case) for case in cases],
              "numbers": numbers}
    text = json.dumps(golden, separators=(",", ":")).replace('{"name"', '\n{"name"').replace('"expected"', '\n"expected"')
    (HERE / "report.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
