#!/bin/sh
# npm run demo [-- --keep]: a cloud on this machine, a push to its nodes, and the proof of it. See lab/demo.ts.
set -eu
cd "$(dirname "$0")/.."
. lab/set-up.sh
set_up
exec node dist/lab/demo.js "$@"
