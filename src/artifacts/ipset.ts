/**
 * Sets of addresses.
 *
 * Invariant: at no moment does a packet meet a mix of two policies. A live set is never flushed and never swapped. Where
 * one kind of change is enough (sets only tighten, or only loosen, or only rules change), members come and go one by one
 * in their phase, and every moment is the old policy, the new one, or one between them. Where kinds meet, the rules are
 * switched to copies of the changed sets that hold the new members (`NAME+1` or `NAME+2`), then the sets themselves are
 * changed, unseen, and the rules are switched back to them: two commits of the filter table, each between equals.
 *
 * A set whose name matches `restricting` restricts by growing (a rule drops by it, or accepts what is not in it); every
 * other set permits by growing.
 */

import { type Artifact, sh } from './artifact.ts'

interface Ownership {
  /** Names that are ours: an extended regular expression without backslashes. */
  readonly owned: string
  readonly restricting: string
}

/** Set headers differ between kernels in sizes that the kernel chose for itself; members have no order. */
const CANONICAL = sh`
  BEGIN { while ((getline < blocked) > 0) if ($1 == "ipset") hidden[$2] = 1 }
  $2 !~ owned || $2 in hidden { next }
  $1 == "create" {
    header = $1 " " $2 " " $3
    for (i = 4; i <= NF; i++)
      if ($i == "hashsize" || $i == "bucketsize" || $i == "initval") i++
      else header = header " " $i
    print header
  }
  $1 == "add" { print $1, $2, $3 }`

/**
 * Reads `want ...` lines of the file and `have ...` lines of the kernel; prints what there is to do, a line each:
 * `create ...`, `tighten add|del SET MEMBER`, `loosen add|del SET MEMBER`, and `moved` when an address that was known
 * before and is known after changes its sets (one that comes or goes altogether has no flows that could be cut).
 */
const CHANGES = sh`
  function kind(set, way) { return (set ~ restricting) == (way == "add") ? "tighten" : "loosen" }
  function change(set, way, member) {
    print kind(set, way), way, set, member
    if (member in before && member in after) moved[kind(set, way)] = 1
  }
  $1 == "want" && $2 == "create" { mine[$3] = 1; print substr($0, 6) }
  $1 == "want" && $2 == "add" { wanted[$3 " " $4] = 1; after[$4] = 1 }
  $1 == "have" && $2 == "create" && $3 ~ /[+][12]$/ && $3 ~ owned { leftover = 1 }
  $1 == "have" && $2 == "add" && $3 ~ owned { live[$3 " " $4] = 1; before[$4] = 1 }
  END {
    # Who goes makes room: a set may be nearly full.
    for (entry in live) if (!(entry in wanted)) { split(entry, part, " "); if (part[1] in mine) change(part[1], "del", part[2]) }
    for (entry in wanted) if (!(entry in live)) { split(entry, part, " "); change(part[1], "add", part[2]) }
    if (leftover || moved["tighten"] + moved["loosen"] + (moved["tighten"] + moved["loosen"] && rules) > 1) print "moved"
  }`

/** One restore script for the real sets; only the lines of these kinds. */
function apply(kinds: string): string {
  return sh`sed -n 's/^${kinds} \([ad]\)/\1/p' "$work/ipset.changes" | ipset restore -exist`
}

export function ipset({ owned, restricting }: Ownership): Artifact {
  return {
    name: 'ipset',
    file: 'ipset.restore',
    needs: ['ipset'],
    leave: '',
    functions: sh`
# Copies of the sets that change, with what they will hold. The rules in force may use the copies of a script that died,
# so these get the other number; a copy that no rule uses any more goes first.
ipset_copies() { ipset list -n | awk -v owned='${owned}' '$1 ~ owned && /[+][12]$/'; }
ipset_copy() {
  ipset_copies > "$work/ipset.copies"
  while read -r set; do ipset destroy "$set" 2> /dev/null; done < "$work/ipset.copies"
  number=1
  if ipset_copies | grep -q '[+]1$'; then number=2; fi
  awk '$1 == "tighten" || $1 == "loosen" { print $3 }' "$work/ipset.changes" | sort -u > "$work/ipset.changed"
  awk -v number="$number" '
    FILENAME ~ /changed$/ { copied[$1] = 1; next }
    ($1 == "create" || $1 == "add") && $2 in copied { $2 = $2 "+" number; print }' "$work/ipset.changed" "$want/ipset.restore" |
    ipset restore || return 1
  sed "s/.*/& &+$number/" "$work/ipset.changed" > "$work/ipset.copied"
}`,
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
    steps: {
      tighten: sh`
rm -f "$work/ipset.copied"
rules=0
case " $changes " in *' iptables '*) rules=1 ;; esac
live=$(ipset save) || return 1
{ [ ! -f "$want/ipset.restore" ] || sed -n '/^[ac]/s/^/want /p' "$want/ipset.restore"
  printf '%s\n' "$live" | sed 's/^/have /'
} | awk -v owned='${owned}' -v restricting='${restricting}' -v rules="$rules" '${CHANGES}' > "$work/ipset.changes" || return 1
sed -n '/^create /p' "$work/ipset.changes" | ipset restore -exist || return 1
if grep -q '^moved$' "$work/ipset.changes"; then changes="$changes iptables"; ipset_copy; else ${apply('tighten')}; fi`,
      loosen: sh`
if grep -q '^moved$' "$work/ipset.changes"; then ${apply('[a-z]*')}; else ${apply('loosen')}; fi`,
      sweep: sh`
live=$(ipset list -n) || return 1
printf '%s\n' "$live" | awk -v owned='${owned}' -v file="$want/ipset.restore" '
  BEGIN { while ((getline < file) > 0) if ($1 == "create") wanted[$2] = 1 }
  $1 ~ owned && !($1 in wanted)' > "$work/ipset.stale"
while read -r set; do
  ipset destroy "$set" 2> /dev/null && continue
  # What nobody uses goes, or says why it does not.
  if ipset list -t "$set" | grep -q '^References: 0$'; then
    ipset destroy "$set" || return 1
    continue
  fi
  ipset flush "$set" || return 1
  echo "ipset $set" >> "$blocked"
  note "the set $set is no longer wanted but a rule that is not ours uses it: it stays, empty"
done < "$work/ipset.stale"`,
    },
    show: sh`
live=$(ipset save) || return 1
printf '%s\n' "$live" | awk -v owned='${owned}' -v blocked="$blocked" '${CANONICAL}' | sort -k2,2 -k1,1r -k3,3`,
  }
}
