#!/usr/bin/env bash
# The quick start's launcher: `larry run` under its name there. Every option of `larry run` can be given;
# without one it does the run against the simulated cluster, like `npm run demo`.
set -eu
here="$(cd "$(dirname "$0")/.." && pwd)"
if [ "$#" -eq 0 ]; then
  exec npm --prefix "$here" run --silent demo
fi
exec node "$here/bin/larry.mjs" run "$@"
