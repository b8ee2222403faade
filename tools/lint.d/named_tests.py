#!/usr/bin/env python3
"""The tests that the threat table names (proto-spec/09-security.md) are there."""
import pathlib
import re
import sys

SPEC = pathlib.Path("proto-spec/09-security.md")
MACRO = re.compile(r"\b(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP)\(\s*(\w+),\s*(\w+)")
NAMED = re.compile(r"`([A-Z]\w+)\.([A-Z]\w+)`")

there = set()
for source in pathlib.Path("tests").rglob("*_test.cc"):
    there.update(MACRO.findall(source.read_text()))
named = set(NAMED.findall(SPEC.read_text()))
missing = sorted(named - there)
for suite, test in missing:
    print(f"{SPEC}: there is no test {suite}.{test}")
if not named:
    print(f"{SPEC}: names no test")
sys.exit(1 if missing or not named else 0)
