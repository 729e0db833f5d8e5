"""Checks of a client: `check(name, function)` runs one and prints `ok` or `not ok`; the rest are what the checks have in common."""

import os
import random

ENDPOINT = os.environ["ENDPOINT"]
KEY, SECRET = os.environ["KEY"], os.environ["SECRET"]
# Keys that are easily got wrong on their way.
ODD_KEYS = ["a b+c", "a//b", "../up", "100%", "ä/ö ü", "q?x=1&y=2", "#hash", "semi;colon", "quote'\"", "<tag>&amp;", "tilde~", "trailing/", "日本語", "x" * 900]


def check(name, function):
    try:
        function()
        print(f"ok {name}")
    except Exception as error:  # whatever went wrong is the result
        print(f"not ok {name}: {type(error).__name__}: {' '.join(str(error).split())[:300]}")


def payload(size):
    return random.Random(size).randbytes(size)
