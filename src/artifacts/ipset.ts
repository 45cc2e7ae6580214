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
 * Reads what ipset save prints, and writes what there is to do to make it what the source says:
 *   now       for ipset restore: sets that are not there, and members that tighten
 *   later     for ipset restore: members that loosen; all members when addresses move
 *   changed   names of sets whose members change, when addresses move
 *   unwanted  names of sets of ours that the source has not
 * An address moves when it was known before, is known after, and changes its sets (one that comes or goes altogether has
 * no flows that could be cut), and one kind of change is not enough.
 */
const CHANGES = sh`
  function kind(set, way) { return (set ~ restricting) == (way == "add") ? "tighten" : "loosen" }
  function change(set, way, member) {
    kinds[++changes] = kind(set, way); line[changes] = way " " set " " member; sets[changes] = set
    if (member in before && member in after) moved[kind(set, way)] = 1
  }
  BEGIN {
    now = folder "now"; later = folder "later"; changed = folder "changed"; unwanted = folder "unwanted"
    printf "" > now; printf "" > later; printf "" > changed; printf "" > unwanted
    while ((getline < source) > 0) {
      if ($1 == "create") { mine[$2] = 1; header[++headers] = $0; name[headers] = $2 }
      if ($1 == "add") { entry[++entries] = $2 " " $3; wanted[$2 " " $3] = 1; after[$3] = 1 }
    }
  }
  $2 !~ owned { next }
  $1 == "create" { there[$2] = 1 }
  $1 == "create" && $2 ~ /[+][12]$/ { leftover = 1 }
  $1 == "create" && !($2 in mine) { print $2 > unwanted }
  $1 == "add" { live[$2 " " $3] = 1; before[$3] = 1 }
  END {
    for (i = 1; i <= headers; i++) if (!(name[i] in there)) print header[i] > now
    # Who goes makes room: a set may be nearly full.
    for (one in live) if (!(one in wanted)) { split(one, part, " "); if (part[1] in mine) change(part[1], "del", part[2]) }
    for (i = 1; i <= entries; i++) if (!(entry[i] in live)) { split(entry[i], part, " "); change(part[1], "add", part[2]) }
    moves = leftover || moved["tighten"] + moved["loosen"] + (moved["tighten"] + moved["loosen"] && rules) > 1
    for (i = 1; i <= changes; i++) {
      if (moves && !told[sets[i]]++) print sets[i] > changed
      if (moves || kinds[i] == "loosen") print line[i] > later; else print line[i] > now
    }
  }`

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
      prepare: sh`
: > "$work/ipset.copied"
rules=0
case " $changes " in *' iptables '*) rules=1 ;; esac
live=
[ -n "$rehearsing" ] || live=$(ipset save) || return 1
printf '%s\n' "$live" | awk -v owned='${owned}' -v restricting='${restricting}' -v rules="$rules" -v source="$want/ipset.restore" \
  -v folder="$work/ipset." '${CHANGES}' || return 1
[ ! -s "$work/ipset.changed" ] || changes="$changes iptables"`,
      tighten: sh`
[ ! -s "$work/ipset.now" ] || ipset restore -exist < "$work/ipset.now" || return 1
[ ! -s "$work/ipset.changed" ] || ipset_copy`,
      loosen: sh`[ ! -s "$work/ipset.later" ] || ipset restore -exist < "$work/ipset.later"`,
      sweep: sh`
[ -s "$work/ipset.unwanted" ] || [ -s "$work/ipset.copied" ] || return 0
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
