#!/usr/bin/env python3
"""The quick start's report aggregation: `larry aggregate` under its name there. Options are passed on:
--larry-01-report FILE --larry-02-report FILE --larry-03-report FILE --output FILE
"""
import os
import pathlib
import sys

LARRY = pathlib.Path(__file__).resolve().parent.parent / "bin" / "larry.mjs"

if __name__ == "__main__":
    try:
        os.execvp("node", ["node", str(LARRY), "aggregate", *sys.argv[1:]])
    except FileNotFoundError:
        sys.exit("aggregate-larry-reports: node is not on PATH; install Node 20.19 or newer")
