#!/usr/bin/env python3
"""Reads from the reference library (tokenizers 0.23.3, Oniguruma with Unicode 16) how its patterns class characters that
PCRE2 10.42 (Unicode 14, as this Python's unicodedata must be) does not know, and which characters \\w matches beyond
the categories that it matches as a whole. Writes src/data/text/pattern_tables.cpp to standard output.

    python tests/golden/make_pattern_tables.py > src/data/text/pattern_tables.cpp
"""
import sys
import unicodedata

from tokenizers import Regex, pre_tokenizers

assert unicodedata.unidata_version.startswith("14."), "run it with a Python of Unicode 14 (3.11)"
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co".split()
ALL = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
HEAD = '''#include "data/text/pattern_tables.h"

#include <iterator>

namespace rootstock {
namespace {

// Written by tests/golden/make_pattern_tables.py.
// clang-format off
'''
TAIL = '''// clang-format on

}  // namespace

std::span<const NewerCharacters> newer_characters() { return newer; }
std::span<const NewerCharacters> more_word_characters() { return word_extra; }

}  // namespace rootstock
'''


def matched(pattern, code_points):
    """Those of the code points that the pattern matches."""
    splitter = pre_tokenizers.Split(Regex(pattern), "removed")
    return {c for c in code_points if not splitter.pre_tokenize_str(chr(c))}


def runs(members):
    """{code point: category} as rows."""
    rows = []
    for c in sorted(members):
        if rows and rows[-1][1] == c - 1 and rows[-1][2] == members[c]:
            rows[-1][1] = c
        else:
            rows.append([c, c, members[c]])
    return rows


def show(name, members):
    print(f"constexpr NewerCharacters {name}[] = {{")
    rows = [f'{{0x{first:X}, 0x{last:X}, "{category}"}},' for first, last, category in runs(members)]
    for begin in range(0, len(rows), 5):
        print("    " + " ".join(rows[begin:begin + 5]))
    print("};")


def main():
    before = {c: unicodedata.category(chr(c)) for c in ALL}
    now = {}
    rest = [c for c in ALL if before[c] != "Cn"]
    for category in CATEGORIES:  # those known before, first by the category they had
        now.update(dict.fromkeys(matched(rf"\p{{{category}}}", [c for c in rest if before[c] == category]), category))
    unsettled = [c for c in rest if c not in now] + sorted(matched(r"\P{Cn}", [c for c in ALL if before[c] == "Cn"]))
    for category in CATEGORIES:
        now.update(dict.fromkeys(matched(rf"\p{{{category}}}", [c for c in unsettled if c not in now]), category))
    moved = [c for c in rest if now.get(c) != before[c]]
    print("of another category than before:", [(hex(c), before[c], now.get(c)) for c in moved], file=sys.stderr)
    word = matched(r"\w", ALL)
    by_category = {}
    for c, category in now.items():
        by_category.setdefault(category, set()).add(c)
    whole = [category for category in by_category if by_category[category] <= word]
    print("in \\w as a whole:", whole, file=sys.stderr)
    extra = word - set().union(*(by_category[category] for category in whole))
    print(HEAD, end="")
    show("newer", {c: now[c] for c in now if before[c] == "Cn"})
    show("word_extra", dict.fromkeys(extra, "w"))
    print(TAIL, end="")


if __name__ == "__main__":
    main()
