/**
 * Sets of addresses.
 *
 * Invariants: a live set is never flushed and never swapped: members come and go one by one, each way only in the phase
 * where it cannot open anything. A set whose name matches `restricting` restricts by growing (a rule drops by it, or
 * accepts what is not in it); every other set permits by growing.
 */

import { type Artifact, sh } from './artifact.ts'

interface Ownership {
  /** Names that are ours: an extended regular expression without backslashes. */
  readonly owned: string
  readonly restricting: string
}

/** Set headers differ between kernels in sizes that the kernel chose for itself; members have no order. */
const CANONICAL = sh`
  $2 !~ owned || $2 in hidden { next }
  $1 == "create" {
    header = $1 " " $2 " " $3
    for (i = 4; i <= NF; i++)
      if ($i == "hashsize" || $i == "bucketsize" || $i == "initval") i++
      else header = header " " $i
    print header
  }
  $1 == "add" { print $1, $2, $3 }`

/** Reads `want ...` lines of the file and `have ...` lines of the kernel; prints a restore script. */
const MOVES = sh`
  function restricts(set) { return set ~ restricting ? 1 : 0 }
  $1 == "want" && $2 == "create" { mine[$3] = 1; if (phase == "tighten") print substr($0, 6) }
  $1 == "want" && $2 == "add" { wanted[$3 " " $4] = $3 }
  $1 == "have" && $2 == "add" && $3 in mine { live[$3 " " $4] = $3 }
  END {
    grows = (phase == "tighten") ? 1 : 0
    for (member in wanted) if (restricts(wanted[member]) == grows && !(member in live)) print "add " member
    for (member in live) if (restricts(live[member]) != grows && !(member in wanted)) print "del " member
  }`

function move(phase: 'tighten' | 'loosen', { restricting }: Ownership): string {
  return sh`
live=$(ipset save) || return 1
{ [ ! -f "$want/ipset.restore" ] || sed -n '/^[ac]/s/^/want /p' "$want/ipset.restore"
  printf '%s\n' "$live" | sed 's/^/have /'
} | awk -v phase=${phase} -v restricting='${restricting}' '${MOVES}' > "$work/ipset.moves" &&
ipset restore -exist < "$work/ipset.moves"`
}

export function ipset(ownership: Ownership): Artifact {
  return {
    name: 'ipset',
    file: 'ipset.restore',
    needs: ['ipset'],
    functions: '',
    check: sh`
live=$(ipset save) || return 1
printf '%s\n' "$live" | awk -v file="$want/ipset.restore" '
  function header(  i, h) { h = $3; for (i = 4; i <= NF; i++) if ($i == "family" || $i == "maxelem") h = h " " $i " " $(i + 1); return h }
  BEGIN { while ((getline < file) > 0) if ($1 == "create") wanted[$2] = header() }
  $1 == "create" && $2 in wanted && header() != wanted[$2] {
    print "the set " $2 " exists as " header() ", the bundle wants " wanted[$2] ": rename or destroy it first"; bad = 1
  }
  END { exit bad }' > "$work/ipset.check" || { complain "$(cat "$work/ipset.check")"; return 1; }`,
    world: '',
    leave: '',
    steps: {
      tighten: move('tighten', ownership),
      loosen: move('loosen', ownership),
      sweep: sh`
live=$(ipset list -n) || return 1
printf '%s\n' "$live" | awk -v owned='${ownership.owned}' -v file="$want/ipset.restore" '
  BEGIN { while ((getline < file) > 0) if ($1 == "create") wanted[$2] = 1 }
  $1 ~ owned && !($1 in wanted)' > "$work/ipset.stale"
while read -r set; do
  ipset destroy "$set" 2> /dev/null && continue
  ipset flush "$set" || return 1
  echo "ipset $set" >> "$blocked"
  note "the set $set is no longer wanted but a rule that is not ours uses it: it stays, empty"
done < "$work/ipset.stale"`,
    },
    show: sh`
live=$(ipset save) || return 1
printf '%s\n' "$live" | awk -v owned='${ownership.owned}' -v blocked="$blocked" '
  BEGIN { while ((getline < blocked) > 0) if ($1 == "ipset") hidden[$2] = 1 } ${CANONICAL}' | sort -k2,2 -k1,1r -k3,3`,
  }
}
