#!/usr/bin/env python3
"""The quick start's dashboard: `larry dashboard` under its name there. Options are passed on."""
import os
import pathlib
import sys

LARRY = pathlib.Path(__file__).resolve().parent.parent / "bin" / "larry.mjs"

if __name__ == "__main__":
    try:
        os.execvp("node", ["node", str(LARRY), "dashboard", *sys.argv[1:]])
    except FileNotFoundError:
        sys.exit("larry-dashboard: node is not on PATH; install Node 20.19 or newer")
