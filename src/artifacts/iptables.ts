/**
 * Rules of filter, nat and raw.
 *
 * Invariants: own chains only, each replaced whole inside one transaction per table; a hook chain (`hooks`) is created
 * when it is absent and its rules are somebody else's; a built-in chain holds our jumps, in order, and nothing else of
 * ours; a table that already is as it should be is not written; a rule that stays keeps its counters.
 */

import { IPTABLES } from './alike.ts'
import { type Artifact, sh } from './artifact.ts'

interface Ownership {
  /** Chains that are ours: an extended regular expression without backslashes. */
  readonly owned: string
  /** Chains among them whose rules belong to the node's administrator. */
  readonly hooks: string
  /** Chains among them that built-in chains jump to; a jump to any other is somebody else's rule. */
  readonly entries: string
}

/** A jump of ours is exactly `-A BUILTIN -j ENTRY`; everything else that names an own chain is somebody's use of it. */
const NAMES = sh`
  function own(chain) { return chain ~ owned }
  function hook(chain) { return chain ~ hooks }
  function ours(chain) { return own(chain) && !hook(chain) }
  function is_jump() { return $1 == "-A" && NF == 4 && $3 == "-j" && $4 ~ entries && ($2 in builtin) }`

/** What iptables-save prints, cut down to what is ours, in a fixed order. */
const CANONICAL = sh`${NAMES}
  BEGIN { while ((getline < blocked) > 0) if ($1 == "iptables") hidden[$2 " " $3] = 1 }
  { sub(/^\[[0-9]+:[0-9]+\] /, "") }
  /^[*]/ { table = substr($1, 2); split("", builtin) }
  /^:/ { chain = substr($1, 2); if ($2 != "-") builtin[chain] = 1 }
  /^:/ && own(chain) && !((table " " chain) in hidden) { print table, 1, chain, NR, ":" chain " - [0:0]" }
  is_jump() { print table, 2, "-", NR, $0 }
  /^-A/ && ours($2) { print table, 3, $2, NR, $0 }`

const ASSEMBLE = sh`
  $1 != table { if (table) print "COMMIT"; table = $1; print "*" table }
  { sub(/^[^ ]+ [^ ]+ [^ ]+ [^ ]+ /, ""); print }
  END { if (table) print "COMMIT" }`

/** Reads `have ...` lines of the kernel, then `want ...` lines, all of one table; prints one transaction. */
const TRANSACTION = sh`${NAMES}
  # A rule is the same whether it uses a set or its copy.
  function identity(rule) { gsub(/[+][12] /, " ", rule); return rule }
  $1 == "have" { sub(/^have /, ""); read_live(); next }
  $1 == "want" { sub(/^want /, ""); read_wanted() }
  function read_live(  i, count) {
    if (/^\[/) { count = $1; sub(/^[^ ]+ /, ""); counters[identity($0)] = count " " }
    if (/^:/) { live[substr($1, 2)] = 1; if ($2 != "-") builtin[substr($1, 2)] = 1 }
    else if (is_jump()) { chains[$2] = 1; jumps[$2] = jumps[$2] " " $4 }
    else if (/^-A/ && !ours($2)) {
      filled[$2] = 1
      for (i = 3; i < NF; i++) if ($i == "-j" || $i == "-g") used[$(i + 1)] = 1
    }
  }
  function read_wanted(  chain) {
    chain = substr($1, 2)
    if (/^:/) { wanted[chain] = 1; if (!hook(chain) || !(chain in live)) declare[++declared] = $0 }
    else if (own($2)) rule[++rules] = counters[identity($0)] $0
    else { chains[$2] = 1; asked[$2] = asked[$2] " " $4 }
  }
  function rejump(chain,  i, n, names) {
    n = split(jumps[chain], names, " "); for (i = 1; i <= n; i++) print "-D " chain " -j " names[i]
    n = split(asked[chain], names, " "); for (i = 1; i <= n; i++) print "-I " chain " " i " -j " names[i]
  }
  END {
    for (chain in live) if (own(chain) && !(chain in wanted)) {
      if (!hook(chain)) declare[++declared] = ":" chain " - [0:0]"
      if (chain in used || hook(chain) && chain in filled) print "iptables " table " " chain > blocked
      else remove[++removed] = "-X " chain
    }
    print "*" table
    for (i = 1; i <= declared; i++) print declare[i]
    for (chain in chains) if (jumps[chain] != asked[chain]) rejump(chain)
    for (i = 1; i <= rules; i++) print rule[i]
    for (i = 1; i <= removed; i++) print remove[i]
    print "COMMIT"
  }`

export function iptables({ owned, hooks, entries }: Ownership): Artifact {
  return {
    name: 'iptables',
    file: 'iptables.restore',
    needs: ['iptables', 'iptables-save', 'iptables-restore'],
    functions: sh`
iptables_flavour=
# Rules on the copies that the sets of this change have for its duration, if they have any.
iptables_on_copies() {
  if [ ! -s "$work/ipset.copied" ]; then cat; return; fi
  awk -v copies="$work/ipset.copied" '
    BEGIN { while ((getline < copies) > 0) copy[$1] = $2 }
    { for (i = 1; i < NF; i++) if ($i == "--match-set" && $(i + 1) in copy) $(i + 1) = copy[$(i + 1)]; print }'
}
iptables_live() {
  live=$(iptables-save) || return 1
  case $live in *'is incompatible, use'*) complain 'iptables-save cannot read a table that nft made'; return 1 ;; esac
}
iptables_canonical() {
  awk -v owned='${owned}' -v hooks='${hooks}' -v entries='${entries}' -v blocked="$blocked" '${CANONICAL}' |
    sort -k1,1 -k2,2n -k3,3 -k4,4n | awk '${ASSEMBLE}'
}
# One table, brought to what the file says. What the rehearsal showed says the same as the file in the kernel's own words,
# so that a rule is recognised, and with it its counters.
iptables_commit() { # table filter
  source=$want/expected/iptables
  [ -f "$source" ] || source=$want/iptables.restore
  wanted=
  [ ! -f "$source" ] || wanted=$(sed -n "/^[*]$1\$/,/^COMMIT\$/p" "$source" | $2)
  live=$(iptables-save -c -t "$1") || return 1
  ! alike iptables "$wanted" "$(printf '%s\n' "$live" | iptables_canonical)" || return 0
  : > "$work/iptables.blocked"
  { printf '%s\n' "$live" | sed 's/^/have /'
    printf '%s\n' "$wanted" | sed -n '/^[:-]/s/^/want /p'
  } | awk -v table="$1" -v owned='${owned}' -v hooks='${hooks}' -v entries='${entries}' -v blocked="$work/iptables.blocked" '${TRANSACTION}' > "$work/iptables.$1" || return 1
  [ -n "$iptables_flavour" ] || iptables_flavour=$(iptables -V) || return 1
  case $iptables_flavour in *nf_tables*) wait= ;; *) wait='-w 20' ;; esac
  iptables-restore --noflush --counters $wait < "$work/iptables.$1" || return 1
  cat "$work/iptables.blocked" >> "$blocked"
  while read -r _ _ chain; do
    note "the chain $chain ($1) is no longer wanted but a rule that is not ours jumps to it: it stays, empty"
  done < "$work/iptables.blocked"
}`,
    check: sh`
[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] ||
  { complain 'net.ipv4.ip_forward is 0, the node forwards nothing: sysctl -w net.ipv4.ip_forward=1'; return 1; }
[ -d /proc/sys/net/bridge ] ||
  { complain 'br_netfilter is not loaded, bridged packets would pass unfiltered: modprobe br_netfilter'; return 1; }
[ "$(cat /proc/sys/net/bridge/bridge-nf-call-iptables)" = 1 ] ||
  { complain 'net.bridge.bridge-nf-call-iptables is 0, bridged packets would pass unfiltered: sysctl -w net.bridge.bridge-nf-call-iptables=1'; return 1; }
# Both kinds of tables filter, whichever of them iptables shows.
case $(iptables -V) in *nf_tables*) other=iptables-legacy ;; *) other=iptables-nft ;; esac
"$other-save" 2> /dev/null | awk -v owned='${owned}' '/^:/ && substr($1, 2) ~ owned { found = 1 } END { exit found }' || {
  complain "$(iptables -V) is in use, but there are chains of ours that only $other shows, and both filter: make it the one in use (update-alternatives --config iptables), flush the node with edgepush flush, and go back"
  return 1
}
iptables_live || return 1
printf '%s\n' "$live" | awk -v entries='${entries}' '
  /^[*]/ { table = $1 }
  table != "*filter" || $1 != "-A" || $2 != "FORWARD" { next }
  $3 == "-j" && $4 ~ entries && !ours++ { printf "%s", before }
  $(NF - 1) == "-j" && $NF == "ACCEPT" { before = before $0 "\n" }' > "$work/iptables.before"
while read -r rule; do
  note "the rule $rule stands before ours: on what it lets through, no group decides"
done < "$work/iptables.before"`,
    world: '',
    leave: '',
    steps: {
      switch: 'iptables_commit filter iptables_on_copies',
      // The sets have changed behind their copies, which the filter leaves now.
      loosen: sh`
{ [ ! -s "$work/ipset.copied" ] || iptables_commit filter cat; } && iptables_commit nat cat && iptables_commit raw cat`,
    },
    show: sh`
iptables_live || return 1
printf '%s\n' "$live" | iptables_canonical`,
    alike: IPTABLES,
  }
}
