/**
 * Bridge rules of nat and filter.
 *
 * Invariants as for iptables: own chains only, each replaced whole, one transaction per table, jumps added only when
 * they are not there already, a table that is as it should be is not written.
 */

import { EBTABLES } from './alike.ts'
import { type Artifact, sh } from './artifact.ts'
import { IN_ORDER } from './in-order.ts'

interface Ownership {
  /** Chains that are ours: an extended regular expression without backslashes. */
  readonly owned: string
}

/** What ebtables-save prints, cut down to what is ours, in a fixed order. */
const CANONICAL = sh`${IN_ORDER}
  BEGIN { while ((getline < blocked) > 0) if ($1 == "ebtables") hidden[$2 " " $3] = 1 }
  function own(chain) { return chain ~ owned }
  /^[*]/ { table = substr($1, 2) }
  /^:/ && own(substr($1, 2)) && !((table " " substr($1, 2)) in hidden) { keep(1, substr($1, 2), $0) }
  /^-A/ && !own($2) && NF == 4 && $3 == "-j" && own($4) { keep(2, "-", $0) }
  /^-A/ && own($2) { keep(3, $2, $0) }
  END { print_kept("") }`

/**
 * Reads what ebtables-save prints, and prints the transaction that makes one of the tables what the source says of it.
 * Ends with 3 where it is that already; with 4 where the two have the same rules, and may differ in nothing but order.
 */
const TRANSACTION = sh`
  BEGIN {
    while ((getline < blocked) > 0) if ($1 == "ebtables" && $2 == table) hidden[$3] = 1
    while ((getline < source) > 0) { if (/^[*]/) inside = $1 == "*" table; else if (inside && /^[:-]/) read_wanted() }
    inside = 0
  }
  function own(chain) { return chain ~ owned }
  function is_jump() { return !own($2) && NF == 4 && $3 == "-j" && own($4) }
  function read_wanted(  chain) {
    chain = substr($1, 2)
    wanted_size += length($0)
    if (/^:/) { wanted[chain] = $0; names[++named] = chain }
    else if (own($2)) { rule[++rules] = $0; rule_of[$2, ++rules_of[$2]] = $0; balance[$0]++ }
    else { chains[$2] = 1; asked[$2] = asked[$2] " " $4 }
  }
  /^[*]/ { inside = $1 == "*" table }
  !inside { next }
  /^:/ {
    chain = substr($1, 2); live[chain] = $0
    if (own(chain) && !(chain in hidden)) live_size += length($0)
  }
  /^-A/ && is_jump() { chains[$2] = 1; jumps[$2] = jumps[$2] " " $4; live_size += length($0); next }
  /^-A/ && own($2) { if (rule_of[$2, ++seen[$2]] != $0) differs = 1; live_size += length($0); balance[$0]--; next }
  /^-A/ { for (i = 3; i < NF; i++) if ($i == "-j") used[$(i + 1)] = 1 }
  function rejump(chain,  i, n, to) {
    n = split(jumps[chain], to, " "); for (i = 1; i <= n; i++) print "-D " chain " -j " to[i]
    n = split(asked[chain], to, " "); for (i = 1; i <= n; i++) print "-A " chain " -j " to[i]
  }
  function is_as_wanted(  chain) {
    for (chain in wanted) if (live[chain] != wanted[chain] || seen[chain] != rules_of[chain]) return 0
    for (chain in live) if (own(chain) && !(chain in wanted) && (seen[chain] || !(chain in hidden))) return 0
    for (chain in chains) if (jumps[chain] != asked[chain]) return 0
    return !differs
  }
  END {
    if (is_as_wanted()) exit 3
    print "*" table
    for (i = 1; i <= named; i++) print wanted[names[i]]
    for (chain in live) if (own(chain) && !(chain in wanted)) {
      print "-F " chain
      if (chain in used) print chain > stays
      else remove[++removed] = "-X " chain
    }
    for (chain in chains) if (jumps[chain] != asked[chain]) rejump(chain)
    for (i = 1; i <= rules; i++) print rule[i]
    for (i = 1; i <= removed; i++) print remove[i]
    for (line in balance) if (balance[line]) exit 0
    if (wanted_size == live_size) exit 4
  }`

export function ebtables({ owned }: Ownership): Artifact {
  return {
    name: 'ebtables',
    file: 'ebtables.restore',
    needs: ['ebtables', 'ebtables-save', 'ebtables-restore'],
    functions: sh`
ebtables_canonical() { awk -v owned='${owned}' -v blocked="$blocked" '${CANONICAL}'; }
# The lines of one table, without its name.
ebtables_table() { awk -v table="*$1" '/^[*]/ { inside = $0 == table; next } inside'; }
ebtables_source() {
  for source in "$want/expected/ebtables" "$want/ebtables.restore" /dev/null; do [ ! -e "$source" ] || return 0; done
}
# One table, brought to what the source says; what is there is in ebtables.live.
ebtables_commit() { # table
  ebtables_source
  : > "$work/ebtables.stays"
  awk -v table="$1" -v source="$source" -v owned='${owned}' -v blocked="$blocked" -v stays="$work/ebtables.stays" \
    '${TRANSACTION}' "$work/ebtables.live" > "$work/ebtables.$1"
  case $? in
    0) ;;
    3) return 0 ;;
    4) ! alike ebtables "$(ebtables_table "$1" < "$source")" "$(ebtables_canonical < "$work/ebtables.live" | ebtables_table "$1")" || return 0 ;;
    *) return 1 ;;
  esac
  ebtables-restore --noflush < "$work/ebtables.$1" || return 1
  while read -r chain; do
    echo "ebtables $1 $chain" >> "$blocked"
    note "the bridge chain $chain ($1) is no longer wanted but a rule that is not ours jumps to it: it stays, empty"
  done < "$work/ebtables.stays"
}`,
    check: '',
    world: '',
    leave: '',
    steps: {
      loosen: sh`
{ [ -n "$rehearsing" ] || ebtables-save; } > "$work/ebtables.live" || return 1
ebtables_commit nat && ebtables_commit filter`,
    },
    show: sh`
live=$(ebtables-save) || return 1
printf '%s\n' "$live" | ebtables_canonical`,
    alike: EBTABLES,
  }
}
