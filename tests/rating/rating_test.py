#!/usr/bin/env python3
"""Random ratings beside Python's exact fractions: every amount must be the same to the unit.

rating_test.py [--count 20000] [--seed N]; rate_lines is looked for in $ROOTSTOCK_BIN.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
from fractions import Fraction

LIMIT = 2 ** 63 - 1


def number(rng, highest):
    """Small, middling and huge numbers alike."""
    return rng.randrange(min(highest, 10 ** rng.randrange(1, 19)) + 1)


def rating_of(rng):
    mode = rng.choice(["flat", "per_unit", "graduated", "volume", "package"])
    count = rng.randrange(1, 6) if mode in ("graduated", "volume") else 1
    ends = sorted(rng.sample(range(1, 10 ** rng.randrange(1, 13) + 5), count - 1)) + [None]
    prices = [number(rng, LIMIT) for _ in ends]
    if mode == "volume":
        prices.sort(reverse=True)
    tiers = [{"up_to": end, "nano_per_million": price, "nano_flat": rng.choice([0, number(rng, LIMIT)])}
             for end, price in zip(ends, prices)]
    return {"mode": mode, "tiers": tiers, "package": 1 + number(rng, 10 ** 9), "included": rng.choice([0, number(rng, 10 ** 9)]),
            "nano_minimum": rng.choice([0, 0, number(rng, LIMIT)])}


def exact(rating, quantity):
    """In nano-major-units, from the words of rating.h alone."""
    units = max(quantity - rating["included"], 0)
    tiers, mode = rating["tiers"], rating["mode"]
    total = Fraction(0)
    if mode == "flat":
        total = Fraction(tiers[0]["nano_flat"])
    elif mode == "per_unit":
        total = Fraction(units * tiers[0]["nano_per_million"], 10 ** 6)
    elif mode == "package":
        total = Fraction(-(-units // rating["package"]) * tiers[0]["nano_flat"])
    elif mode == "volume" and units:
        tier = next(tier for tier in tiers if tier["up_to"] is None or units <= tier["up_to"])
        total = Fraction(units * tier["nano_per_million"], 10 ** 6) + tier["nano_flat"]
    elif mode == "graduated":
        below = 0
        for tier in tiers:
            inside = (units if tier["up_to"] is None else min(units, tier["up_to"])) - below
            if inside <= 0:
                break
            total += Fraction(inside * tier["nano_per_million"], 10 ** 6) + tier["nano_flat"]
            below = tier["up_to"]
    return max(total, Fraction(rating["nano_minimum"]))


def rounded(nano, decimals):
    """Half away from zero; nothing here is below zero."""
    amount = nano / 10 ** (9 - decimals)
    whole = (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)
    return str(whole) if whole <= LIMIT else "-"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--count", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=20261126)
    options = options.parse_args()
    rng = random.Random(options.seed)
    cases = [(rng.choice([0, 2, 3, 6, 9]), number(rng, LIMIT), number(rng, 10 ** 12), rating_of(rng)) for _ in range(options.count)]
    lines = "".join(f"{decimals} {quantity} {json.dumps(rating)}\n{decimals} {quantity + more} {json.dumps(rating)}\n"
                    f"{decimals} {more} {json.dumps(rating)}\n" for decimals, quantity, more, rating in cases)
    program = pathlib.Path(os.environ["ROOTSTOCK_BIN"]) / "rate_lines"
    answers = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(answers) == 3 * options.count, f"{len(answers)} answers for {3 * options.count} lines"
    unlike, uncovered, fitting = [], [], 0
    for place, (decimals, quantity, more, rating) in enumerate(cases):
        before, after, most = (line.split() for line in answers[3 * place:3 * place + 3])
        for told, count in ((before, quantity), (after, quantity + more)):
            wanted = rounded(exact(rating, count), decimals)
            fitting += wanted != "-"
            if told[0] != wanted:
                unlike.append((decimals, count, rating, told[0], wanted))
        # What is held for `more` units covers what they add; a unit of the last place for the two roundings.
        if "-" not in (before[0], after[0], most[1]) and int(after[0]) - int(before[0]) > int(most[1]) + 1:
            uncovered.append((decimals, quantity, more, rating, before, after, most))
    print(f"seed {options.seed}: {2 * options.count} ratings, {fitting} within 64 bits, {len(unlike)} unlike the fractions, "
          f"{len(uncovered)} above what is held")
    for case in (unlike + uncovered)[:5]:
        print(*case, sep="\n    ")
    return 1 if unlike or uncovered else 0


if __name__ == "__main__":
    sys.exit(main())
