#!/usr/bin/env python3
"""What a table model is worth beside what one would use instead, on the same rows in the same run.

    /usr/bin/python3 -m venv --system-site-packages build/table-env      # with Debian's python3-torch
    build/table-env/bin/pip install -r bench/peers/table_requirements.txt
    build/table-env/bin/python bench/peers/table_peer.py SHARED_DATA [--rootstock build/release/bin/rootstock]
        [--data german|ai4i] [--folds 5] [--seed 42] [--only NAME]... [-- OPTIONS OF rootstock finetune]

The rows are cut into folds, in proportion to the classes; each fold is set aside once, and every learner sees the others:

    rootstock            rootstock finetune --task table, with no setting but the seed and the dropped columns
    rtdl, likewise       FTTransformer of rtdl_revisiting_models trained the same way: the same shape, dropouts, steps,
                         rates, held-out share, early stop on the loss, numbers to normal quantiles
    rtdl, its defaults   the same, with the package's own shape, dropouts and rate (three blocks, 192 wide) and the patience
                         its authors use
    gradient boosting    scikit-learn's HistGradientBoostingClassifier, early stopping
    logistic regression  scikit-learn's, numbers standardised, categories one-hot

Printed: ROC AUC on the rows set aside, seconds and peak memory of the training process (everything it loads and starts
included), by fold and in the mean. Each training is a process of its own. The columns of ai4i2020 that name the kind of
failure are dropped, for they give the answer away, and so are its two identifiers.
"""
import argparse
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

LEAKS = ("TWF", "HDF", "PWF", "OSF", "RNF")


# ---- the rows

def german(data):
    with open(data / "german-credit" / "german.csv") as file:
        rows = list(csv.reader(file))
    return [f"c{i}" for i in range(1, 21)] + ["risk"], rows, "risk", "2", ()


def ai4i(data):
    with open(data / "ai4i2020" / "ai4i2020.csv", newline="", encoding="utf-8-sig") as file:
        names, *rows = list(csv.reader(file, delimiter="\t"))
    return names, rows, "Machine failure", "1", LEAKS + ("UDI", "Product ID")


SETS = {"german": german, "ai4i": ai4i}


def write(path, names, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([names, *rows])


def read(path):
    with open(path, newline="") as file:
        names, *rows = list(csv.reader(file))
    return names, rows


def is_number(values):
    try:
        return [float(value) for value in values] is not None
    except ValueError:
        return False


class Table:
    """The training and the other rows of a folder: numbers, categories and whether the answer is the positive one."""

    def __init__(self, folder):
        facts = json.loads((folder / "facts.json").read_text())
        self.names, train = read(folder / "train.csv")
        test = read(folder / "test.csv")[1]
        label = self.names.index(facts["label"])
        kept = [i for i, name in enumerate(self.names) if i != label and name not in facts["dropped"]]
        numbers = [i for i in kept if is_number([row[i] for row in train])]
        categories = [i for i in kept if i not in numbers]
        self.numbers = [[[float(row[i]) for i in numbers] for row in rows] for rows in (train, test)]
        self.categories = [[[row[i] for i in categories] for row in rows] for rows in (train, test)]
        self.truth = [[int(row[label] == facts["positive"]) for row in rows] for rows in (train, test)]


# ---- scikit-learn

def sklearn_model(name, table):
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
    width = len(table.numbers[0][0])
    left, right = list(range(width)), list(range(width, width + len(table.categories[0][0])))
    if name == "logistic":
        one_hot = OneHotEncoder(handle_unknown="ignore")
        return make_pipeline(make_column_transformer((StandardScaler(), left), (one_hot, right)),
                             LogisticRegression(max_iter=2000))
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"))
    return make_pipeline(make_column_transformer(("passthrough", left), (ordinal, right)),
                         HistGradientBoostingClassifier(categorical_features=right, early_stopping=True, random_state=0))


def run_sklearn(name, folder, seed):
    import numpy
    table = Table(folder)
    rows = [numpy.array([a + b for a, b in zip(*pair)], dtype=object) for pair in zip(table.numbers, table.categories)]
    model = sklearn_model(name, table)
    begin = time.monotonic()
    model.fit(rows[0], table.truth[0])
    return time.monotonic() - begin, [float(p) for p in model.predict_proba(rows[1])[:, 1]]


# ---- rtdl_revisiting_models

OURS = dict(n_blocks=2, d_block=128, attention_n_heads=8, attention_dropout=0.15, ffn_d_hidden=170,
            ffn_d_hidden_multiplier=None, ffn_dropout=0.05, residual_dropout=0.0)
RATES = {"likewise": dict(rate=5e-4, patience=10), "defaults": dict(rate=1e-4, patience=16)}
EPOCHS, BATCH, DECAY, HELD_OUT, WARMUP = 100, 64, 1e-5, 0.15, 0.02


def encode(table, training, torch):
    """Numbers to normal quantiles and categories to ids, learned from the training rows alone."""
    import numpy
    from sklearn.preprocessing import QuantileTransformer
    count = max(min(len(training) // 30, 1000), 10)
    scaler = QuantileTransformer(n_quantiles=count, output_distribution="normal", subsample=10**9)
    scaler.fit(numpy.array([table.numbers[0][i] for i in training]))
    vocabularies = [{} for _ in table.categories[0][0]]
    for i in training:
        for vocabulary, value in zip(vocabularies, table.categories[0][i]):
            vocabulary.setdefault(value, len(vocabulary) + 1)  # 0: not seen
    parts = []
    for numbers, categories in zip(table.numbers, table.categories):
        ids = [[vocabulary.get(value, 0) for vocabulary, value in zip(vocabularies, row)] for row in categories]
        parts.append((torch.tensor(scaler.transform(numpy.array(numbers)).tolist(), dtype=torch.float32),
                      torch.tensor(ids, dtype=torch.int64)))
    return parts, [len(vocabulary) + 1 for vocabulary in vocabularies]


def make_rtdl(kind, width, cardinalities, torch):
    from rtdl_revisiting_models import FTTransformer
    shape = OURS if kind == "likewise" else FTTransformer.get_default_kwargs()
    shape = {key: value for key, value in shape.items() if not key.startswith("_")}
    return FTTransformer(n_cont_features=width, cat_cardinalities=cardinalities, d_out=2, **shape)


def run_rtdl(kind, folder, seed):
    import torch
    from sklearn.model_selection import train_test_split
    torch.manual_seed(seed)
    torch.set_num_threads(os.cpu_count())
    table = Table(folder)
    begin = time.monotonic()
    places = list(range(len(table.truth[0])))
    training, held_out = train_test_split(places, test_size=HELD_OUT, random_state=seed, stratify=table.truth[0])
    (train, test), cardinalities = encode(table, training, torch)
    truth = torch.tensor(table.truth[0])
    model = make_rtdl(kind, train[0].shape[1], cardinalities, torch)
    rates = RATES[kind]
    groups = model.make_parameter_groups()
    optimiser = torch.optim.AdamW(groups, lr=rates["rate"], weight_decay=DECAY)
    steps = EPOCHS * ((len(training) + BATCH - 1) // BATCH)
    share = (lambda step: min(1, (step + 1) / max(1, WARMUP * steps)) * max(0, 1 - max(0, step - WARMUP * steps) /
                                                                         (steps * (1 - WARMUP)))) \
        if kind == "likewise" else (lambda step: 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, share)
    entropy = torch.nn.functional.cross_entropy

    def logits(part, chosen):
        model.eval()
        with torch.no_grad():
            return torch.cat([model(part[0][at], part[1][at]) for at in torch.tensor(chosen).split(512)])

    best, kept, waited = float("inf"), None, 0
    for _ in range(EPOCHS):
        model.train()
        for at in torch.tensor(training)[torch.randperm(len(training))].split(BATCH):
            loss = entropy(model(train[0][at], train[1][at]), truth[at])
            optimiser.zero_grad()
            loss.backward()
            if kind == "likewise":
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        loss = entropy(logits(train, held_out), truth[held_out]).item()
        waited = 0 if loss < best else waited + 1
        if loss < best:
            best, kept = loss, {name: value.clone() for name, value in model.state_dict().items()}
        if waited >= rates["patience"]:
            break
    seconds = time.monotonic() - begin
    model.load_state_dict(kept)
    return seconds, logits(test, range(len(test[0]))).softmax(1)[:, 1].tolist()


# ---- one training, a process of its own

LEARNERS = {"rootstock": None, "rtdl, likewise": ("rtdl", "likewise"), "rtdl, its defaults": ("rtdl", "defaults"),
            "gradient boosting": ("sklearn", "boosting"), "logistic regression": ("sklearn", "logistic")}


def one(kind, name, folder, seed):
    seconds, scores = (run_rtdl if kind == "rtdl" else run_sklearn)(name, folder, seed)
    (folder / "scores.json").write_text(json.dumps({"seconds": seconds, "scores": scores}))


def waited_for(command):
    """Runs it; its peak memory in MB and seconds, of its children too."""
    begin = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"failed with {status}: {command}")
    return usage.ru_maxrss / 1000, time.monotonic() - begin


def ours(program, folder, label, positive, dropped, seed, options):
    drop = ["--drop", ",".join(dropped)] if dropped else []
    home = ["--home", folder / "home", "--json"]
    memory, seconds = waited_for([program, *home, "finetune", "--task", "table", "--data", folder / "train.csv", "--label",
                                  label, "--name", "peer", "--seed", seed, *drop, *options])
    answer = subprocess.run([program, *home, "score", "--model", "peer", folder / "test.csv"], check=True,
                            capture_output=True, text=True).stdout
    return memory, seconds, [row["probabilities"][positive] for row in json.loads(answer)["rows"]]


def theirs(learner, folder, seed):
    memory, _ = waited_for([sys.executable, __file__, folder, "--learner", *learner, "--seed", seed])
    said = json.loads((folder / "scores.json").read_text())
    return memory, said["seconds"], said["scores"]


def compare(arguments, options, data):
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold
    names, rows, label, positive, dropped = SETS[data](arguments.place)
    place, found = names.index(label), {}
    folds = StratifiedKFold(arguments.folds, shuffle=True, random_state=arguments.seed)
    for fold, (train, test) in enumerate(folds.split(rows, [row[place] for row in rows])):
        if fold >= arguments.first:
            break
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            write(folder / "train.csv", names, [rows[i] for i in train])
            write(folder / "test.csv", names, [rows[i] for i in test])
            (folder / "facts.json").write_text(json.dumps({"label": label, "positive": positive, "dropped": dropped}))
            truth = [rows[i][place] == positive for i in test]
            for name in arguments.only or LEARNERS:
                learner, seed = LEARNERS[name], arguments.seed + fold
                memory, seconds, scores = theirs(learner, folder, seed) if learner else ours(
                    arguments.rootstock, folder, label, positive, dropped, seed, options)
                found.setdefault(name, []).append((roc_auc_score(truth, scores), seconds, memory))
                print("{} fold {}: {:20} AUC {:.4f}  {:6.1f} s  {:6.0f} MB".format(data, fold, name, *found[name][-1]),
                      flush=True)
    for name, results in found.items():
        aucs, seconds, memory = zip(*results)
        mean = sum(aucs) / len(aucs)
        spread = (sum((auc - mean)**2 for auc in aucs) / len(aucs))**0.5
        print(f"{data} mean of {len(aucs)}: {name:20} AUC {mean:.4f} +- {spread:.4f}  {sum(seconds) / len(seconds):6.1f} s  "
              f"{max(memory):6.0f} MB")


def main():
    before, options = (sys.argv[1:], []) if "--" not in sys.argv else (
        sys.argv[1:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:])
    parser = argparse.ArgumentParser()
    parser.add_argument("place", type=pathlib.Path)
    parser.add_argument("--rootstock", default="build/release/bin/rootstock")
    parser.add_argument("--data", choices=SETS, action="append")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--first", type=int, default=10**6, help="only so many of the folds")
    parser.add_argument("--only", choices=LEARNERS, action="append")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--learner", nargs=2, help="internal: trains one in this process")
    arguments = parser.parse_args(before)
    if arguments.learner:
        one(*arguments.learner, arguments.place, arguments.seed)
        return
    print(f"seed {arguments.seed}, {arguments.folds} folds", flush=True)
    for data in arguments.data or SETS:
        compare(arguments, options, data)


if __name__ == "__main__":
    main()
