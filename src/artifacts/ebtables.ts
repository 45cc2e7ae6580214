/**
 * Bridge rules of nat and filter.
 *
 * Invariants as for iptables: own chains only, each replaced whole, one transaction per table, jumps added only when
 * they are not there already, a table that is as it should be is not written.
 */

import { EBTABLES } from './alike.ts'
import { type Artifact, sh } from './artifact.ts'

interface Ownership {
  /** Chains that are ours: an extended regular expression without backslashes. */
  readonly owned: string
}

/** What ebtables-save prints, cut down to what is ours; rules in order within their chain. */
const CANONICAL = sh`
  BEGIN { while ((getline < blocked) > 0) if ($1 == "ebtables") hidden[$2 " " $3] = 1 }
  function own(chain) { return chain ~ owned }
  /^[*]/ { table = substr($1, 2) }
  /^:/ && own(substr($1, 2)) && !((table " " substr($1, 2)) in hidden) { print table, 1, substr($1, 2), NR, $0 }
  /^-A/ && !own($2) && NF == 4 && $3 == "-j" && own($4) { print table, 2, "-", NR, $0 }
  /^-A/ && own($2) { print table, 3, $2, NR, $0 }`

const ASSEMBLE = sh`
  $1 != table { table = $1; print "*" table }
  { sub(/^[^ ]+ [^ ]+ [^ ]+ [^ ]+ /, ""); print }`

/** Reads `have ...` lines of the kernel, then `want ...` lines of the file, one table; prints one transaction. */
const TRANSACTION = sh`
  function own(chain) { return chain ~ owned }
  $1 == "have" { sub(/^have /, ""); read_live(); next }
  $1 == "want" { sub(/^want /, ""); read_wanted() }
  function read_live(  i) {
    if (/^:/) live[substr($1, 2)] = 1
    else if (/^-A/ && !own($2) && NF == 4 && own($4)) { chains[$2] = 1; jumps[$2] = jumps[$2] " " $4 }
    else if (/^-A/ && !own($2)) for (i = 3; i < NF; i++) if ($i == "-j") used[$(i + 1)] = 1
  }
  function read_wanted() {
    if (/^:/) { wanted[substr($1, 2)] = 1; declare[++declared] = $0 }
    else if (own($2)) rule[++rules] = $0
    else { chains[$2] = 1; asked[$2] = asked[$2] " " $4 }
  }
  function rejump(chain,  i, n, names) {
    n = split(jumps[chain], names, " "); for (i = 1; i <= n; i++) print "-D " chain " -j " names[i]
    n = split(asked[chain], names, " "); for (i = 1; i <= n; i++) print "-A " chain " -j " names[i]
  }
  END {
    for (chain in live) if (own(chain) && !(chain in wanted)) {
      declare[++declared] = "-F " chain
      if (chain in used) print "ebtables " table " " chain > blocked
      else remove[++removed] = "-X " chain
    }
    print "*" table
    for (i = 1; i <= declared; i++) print declare[i]
    for (chain in chains) if (jumps[chain] != asked[chain]) rejump(chain)
    for (i = 1; i <= rules; i++) print rule[i]
    for (i = 1; i <= removed; i++) print remove[i]
  }`

export function ebtables({ owned }: Ownership): Artifact {
  return {
    name: 'ebtables',
    file: 'ebtables.restore',
    needs: ['ebtables', 'ebtables-save', 'ebtables-restore'],
    functions: sh`
ebtables_canonical() {
  awk -v owned='${owned}' -v blocked="$blocked" '${CANONICAL}' |
    sort -k1,1 -k2,2n -k3,3 -k4,4n | awk '${ASSEMBLE}'
}
# The lines of one table, without its name.
ebtables_table() { awk -v table="*$1" '/^[*]/ { inside = $0 == table; next } inside'; }
# One table, brought to what the file says; what is there is in ebtables.raw and, as far as it is ours, in ebtables.live.
ebtables_commit() { # table
  source=$want/expected/ebtables
  [ -f "$source" ] || source=$want/ebtables.restore
  wanted=
  [ ! -f "$source" ] || wanted=$(ebtables_table "$1" < "$source")
  ! alike ebtables "$wanted" "$(ebtables_table "$1" < "$work/ebtables.live")" || return 0
  : > "$work/ebtables.blocked"
  { ebtables_table "$1" < "$work/ebtables.raw" | sed 's/^/have /'
    printf '%s\n' "$wanted" | sed -n '/^[:-]/s/^/want /p'
  } | awk -v table="$1" -v owned='${owned}' -v blocked="$work/ebtables.blocked" '${TRANSACTION}' > "$work/ebtables.$1" || return 1
  ebtables-restore --noflush < "$work/ebtables.$1" || return 1
  cat "$work/ebtables.blocked" >> "$blocked"
  while read -r _ _ chain; do
    note "the bridge chain $chain ($1) is no longer wanted but a rule that is not ours jumps to it: it stays, empty"
  done < "$work/ebtables.blocked"
}`,
    check: '',
    world: '',
    leave: '',
    steps: {
      loosen: sh`
ebtables-save > "$work/ebtables.raw" || return 1
ebtables_canonical < "$work/ebtables.raw" > "$work/ebtables.live" || return 1
ebtables_commit nat && ebtables_commit filter`,
    },
    show: sh`
live=$(ebtables-save) || return 1
printf '%s\n' "$live" | ebtables_canonical`,
    alike: EBTABLES,
  }
}
