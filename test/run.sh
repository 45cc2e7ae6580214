#!/bin/sh
# npm test [-- what vitest takes]: everything that can be checked here. The last line is the count of vitest's tests;
# the exit status is that of everything.
set -u
cd "$(dirname "$0")/.." || exit
. lab/set-up.sh
set_up shellcheck krb5kdc=krb5-kdc kadmin.local=krb5-admin-server kinit=krb5-user || exit
set_up_guest

status=0
for check in typecheck lint unused; do
  npm run --silent "$check" && continue
  status=1
  say "FAILED: npm run $check (the exit status will say so; the tests are run all the same)"
done

node_modules/.bin/vitest run "$@" || status=1
exit "$status"
