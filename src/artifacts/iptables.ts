/**
 * Rules of filter, nat and raw.
 *
 * Invariants: own chains only, each replaced whole inside one transaction per table; a hook chain (`hooks`) is created
 * when it is absent and its rules are somebody else's; a built-in chain holds our jumps, in order, and nothing else of
 * ours, but for what the original left in it (`former`); a policy is ours only where a mode says so (`policies`); a table
 * that already is as it should be is not written; a rule that stays keeps its counters.
 */

import { IPTABLES } from './alike.ts'
import { type Artifact, sh } from './artifact.ts'
import { IN_ORDER } from './in-order.ts'

interface Ownership {
  /** Chains that are ours: an extended regular expression without backslashes. */
  readonly owned: string
  /** Chains among them whose rules belong to the node's administrator. */
  readonly hooks: string
  /** Chains among them that built-in chains jump to; a jump to any other is somebody else's rule. */
  readonly entries: string
  /** Built-in chains whose policy is ours, as `table chain`; ACCEPT where a file does not say another. Absent: none. */
  readonly policies?: string
  /**
   * What the original wrote into built-in chains: an awk function `is_former` of the rule at hand, which is asked of all of
   * them in the order of iptables-save; absent: nothing. Such rules are ours, and in no bundle of ours.
   */
  readonly former?: string
  /**
   * Whether the administrator may keep rules for this host in a file that the original once loaded. They are his: what of
   * them the kernel does not have is told, and how to load it.
   */
  readonly preload?: boolean
  /** Whether packets between ports of a bridge are to meet the rules, too. */
  readonly bridged: 'must' | 'must not' | 'either'
}

/** A jump of ours is exactly `-A BUILTIN -j ENTRY`; everything else that names an own chain is somebody's use of it. */
const NAMES = (former: string) => sh`${former}
  function own(chain) { return chain ~ owned }
  function hook(chain) { return chain ~ hooks }
  function ours(chain) { return own(chain) && !hook(chain) }
  function decides(table, chain) { return table " " chain ~ policies }
  function is_jump() { return $1 == "-A" && NF == 4 && $3 == "-j" && $4 ~ entries && ($2 in builtin) }
  function is_entry() { return $1 == "-A" && ($2 in builtin) && is_former() || is_jump() }
  function body() { return substr($0, length("-A " $2 " ") + 1) }`

const NO_FORMER = sh`
  function is_former() { return 0 }`

/** What iptables-save prints, cut down to what is ours, in a fixed order. */
const CANONICAL = (former: string) => sh`${NAMES(former)}${IN_ORDER}
  BEGIN { while ((getline < blocked) > 0) if ($1 == "iptables") hidden[$2 " " $3] = 1 }
  { sub(/^\[[0-9]+:[0-9]+\] /, "") }
  /^[*]/ { table = substr($1, 2); split("", builtin) }
  /^:/ { chain = substr($1, 2); if ($2 != "-") builtin[chain] = 1 }
  /^:/ && own(chain) && !((table " " chain) in hidden) { keep(1, chain, ":" chain " - [0:0]") }
  /^:/ && $2 !~ /^(-|ACCEPT)$/ && decides(table, chain) { keep(1, chain, ":" chain " " $2 " [0:0]") }
  is_entry() { keep(2, "-", $0) }
  /^-A/ && ours($2) { keep(3, $2, $0) }
  END { print_kept("COMMIT\n") }`

/**
 * Reads what iptables-save -c prints of one table, and prints the transaction that makes it what the source says of it.
 * Ends with 3 where it is that already; with 4 where the two have the same rules, and may differ in nothing but order.
 */
const TRANSACTION = (former: string) => sh`${NAMES(former)}
  BEGIN {
    while ((getline < copies) > 0) { copy[$1] = $2; copying = 1 }
    while ((getline < blocked) > 0) if ($1 == "iptables" && $2 == table) hidden[$3] = 1
    while ((getline < source) > 0) { if (/^[*]/) inside = $1 == "*" table; else if (inside && /^[:-]/) read_wanted() }
  }
  # A rule is the same whether it uses a set or its copy.
  function identity(rule) { gsub(/[+][12] /, " ", rule); return rule }
  function read_wanted(  i, chain) {
    chain = substr($1, 2)
    for (i = 1; copying && i < NF; i++) if ($i == "--match-set" && $(i + 1) in copy) $(i + 1) = copy[$(i + 1)]
    wanted_size += length($0)
    if (/^:/ && $2 != "-") policy[chain] = $2
    else if (/^:/) { wanted[chain] = 1; names[++named] = chain }
    else if (own($2)) { rule[++rules] = $0; rule_of[$2, ++rules_of[$2]] = $0; balance[$0]++ }
    else { chains[$2] = 1; asked[$2] = asked[$2] body() "\n" }
  }
  /^\[/ { counters[identity(substr($0, length($1) + 2))] = $1 " "; sub(/^[^ ]+ /, "") }
  /^:/ {
    chain = substr($1, 2); live[chain] = 1
    if ($2 != "-") { builtin[chain] = $2; passed[chain] = $3 }
    if (decides(table, chain) && !(chain in policy)) policy[chain] = "ACCEPT"
    if (decides(table, chain) && $2 != "ACCEPT") live_size += length(":" chain " " $2 " [0:0]")
    if (own(chain) && !(chain in hidden)) live_size += length(":" chain " - [0:0]")
  }
  is_entry() { chains[$2] = 1; jumps[$2] = jumps[$2] body() "\n"; live_size += length($0); next }
  /^-A/ && ours($2) { if (rule_of[$2, ++seen[$2]] != $0) differs = 1; live_size += length($0); balance[$0]--; next }
  /^-A/ {
    filled[$2] = 1
    for (i = 3; i < NF; i++) if ($i == "-j" || $i == "-g") used[$(i + 1)] = 1
  }
  function declare(chain) { print ":" chain " - [0:0]" }
  function rejump(chain,  i, n, to) {
    n = split(jumps[chain], to, "\n"); for (i = 1; i < n; i++) print "-D " chain " " to[i]
    n = split(asked[chain], to, "\n"); for (i = 1; i < n; i++) print "-I " chain " " i " " to[i]
  }
  function is_as_wanted(  chain) {
    for (chain in wanted) if (!(chain in live) || seen[chain] != rules_of[chain]) return 0
    for (chain in live) if (own(chain) && !(chain in wanted) && (seen[chain] || !(chain in hidden))) return 0
    for (chain in chains) if (jumps[chain] != asked[chain]) return 0
    for (chain in policy) if (policy[chain] != builtin[chain]) return 0
    return !differs
  }
  END {
    if (is_as_wanted()) exit 3
    print "*" table
    for (chain in policy) if (policy[chain] != builtin[chain]) print ":" chain, policy[chain], passed[chain] ? passed[chain] : "[0:0]"
    for (i = 1; i <= named; i++) if (!hook(names[i]) || !(names[i] in live)) declare(names[i])
    for (chain in live) if (own(chain) && !(chain in wanted)) {
      if (!hook(chain)) declare(chain)
      if (chain in used || hook(chain) && chain in filled) print chain > stays
      else remove[++removed] = "-X " chain
    }
    for (chain in chains) if (jumps[chain] != asked[chain]) rejump(chain)
    for (i = 1; i <= rules; i++) print counters[identity(rule[i])] rule[i]
    for (i = 1; i <= removed; i++) print remove[i]
    print "COMMIT"
    for (line in balance) if (balance[line]) exit 0
    if (!copying && wanted_size == live_size) exit 4
  }`

/** An empty namespace tells how the kernel writes the rules of the file. */
const PRELOAD = sh`
preload=$eucalyptus/etc/eucalyptus/iptables-preload
if [ -r "$preload" ]; then
  unshare --net sh -c 'iptables-restore < "$1" && iptables-save' preload "$preload" > "$work/iptables.preload" 2> "$work/said" ||
    note "the rules of $preload cannot be loaded: $(tail -n 1 "$work/said")"
  printf '%s
' "$live" | grep '^-A' > "$work/iptables.there"
  absent=$(grep '^-A' "$work/iptables.preload" | grep -cvxFf "$work/iptables.there")
  [ "$absent" = 0 ] || note "the kernel does not have $absent of the rules of $preload; to load it: iptables-restore --noflush < $preload"
fi`

const BRIDGED = {
  must: sh`
[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] ||
  { complain 'br_netfilter is not loaded, bridged packets would pass unfiltered: modprobe br_netfilter'; return 1; }
said=
read -r said < /proc/sys/net/bridge/bridge-nf-call-iptables
[ "$said" = 1 ] ||
  { complain 'net.bridge.bridge-nf-call-iptables is 0, bridged packets would pass unfiltered: sysctl -w net.bridge.bridge-nf-call-iptables=1'; return 1; }`,
  'must not': sh`
[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || [ "$(cat /proc/sys/net/bridge/bridge-nf-call-iptables)" = 0 ] ||
  note 'net.bridge.bridge-nf-call-iptables is 1: no instance reaches a public address of its own bridge, be it its own: sysctl -w net.bridge.bridge-nf-call-iptables=0'`,
  either: '',
}

/** Chains that no table has match nothing. */
const NO_POLICY = '^$'

export function iptables(ownership: Ownership): Artifact {
  const { owned, hooks, entries, policies = NO_POLICY, former = NO_FORMER, preload, bridged } = ownership
  const names = sh`-v owned='${owned}' -v hooks='${hooks}' -v entries='${entries}' -v policies='${policies}'`
  return {
    name: 'iptables',
    file: 'iptables.restore',
    needs: ['iptables', 'iptables-save', 'iptables-restore'],
    functions: sh`
iptables_live() {
  live=$(iptables-save) || return 1
  case $live in *'is incompatible, use'*) complain 'iptables-save cannot read a table that nft made'; return 1 ;; esac
}
iptables_canonical() { awk ${names} -v blocked="$blocked" '${CANONICAL(former)}'; }
# What the rehearsal showed says the same as the file in the kernel's own words, so that a rule is recognised, and with it
# its counters.
iptables_source() {
  for source in "$want/expected/iptables" "$want/iptables.restore" /dev/null; do [ ! -e "$source" ] || return 0; done
}
# One table, brought to what the source says, on the copies that the sets of this change have for its duration.
iptables_commit() { # table copies
  iptables_source
  { [ -n "$rehearsing" ] || iptables-save -c -t "$1"; } > "$work/iptables.live" || return 1
  : > "$work/iptables.stays"
  awk -v table="$1" -v source="$source" -v copies="$2" ${names} -v blocked="$blocked" \
    -v stays="$work/iptables.stays" '${TRANSACTION(former)}' "$work/iptables.live" > "$work/iptables.$1"
  case $? in
    0) ;;
    3) return 0 ;;
    4) ! alike iptables "$(sed -n "/^[*]$1\$/,/^COMMIT\$/p" "$source")" "$(iptables_canonical < "$work/iptables.live")" || return 0 ;;
    *) return 1 ;;
  esac
  case $iptables_flavour in *nf_tables*) wait= ;; *) wait='-w 20' ;; esac
  iptables-restore --noflush --counters $wait < "$work/iptables.$1" || return 1
  while read -r chain; do
    echo "iptables $1 $chain" >> "$blocked"
    note "the chain $chain ($1) is no longer wanted but a rule that is not ours jumps to it: it stays, empty"
  done < "$work/iptables.stays"
}`,
    check: sh`
# Of what is in there a shell reads one digit.
said=
read -r said < /proc/sys/net/ipv4/ip_forward
[ "$said" = 1 ] ||
  { complain 'net.ipv4.ip_forward is 0, the node forwards nothing: sysctl -w net.ipv4.ip_forward=1'; return 1; }
${BRIDGED[bridged]}
# Both kinds of tables filter, whichever of them iptables shows; where no legacy table is, there are no legacy chains.
case $(iptables -V) in *nf_tables*) other=iptables-legacy ;; *) other=iptables-nft ;; esac
if [ "$other" = iptables-nft ] || read -r _ 2> /dev/null < /proc/net/ip_tables_names; then
  "$other-save" 2> /dev/null | awk -v owned='${owned}' '/^:/ && substr($1, 2) ~ owned { found = 1 } END { exit found }' || {
    complain "$(iptables -V) is in use, but there are chains of ours that only $other shows, and both filter: make it the one in use (update-alternatives --config iptables), flush the node with edgepush flush, and go back"
    return 1
  }
fi
iptables_live || return 1
printf '%s\n' "$live" | awk -v entries='${entries}' '
  /^[*]/ { table = $1 }
  table != "*filter" || $1 != "-A" || $2 != "FORWARD" { next }
  $3 == "-j" && $4 ~ entries && !ours++ { printf "%s", before }
  $(NF - 1) == "-j" && $NF == "ACCEPT" { before = before $0 "\n" }' > "$work/iptables.before"
while read -r rule; do
  note "the rule $rule stands before ours: on what it lets through, no group decides"
done < "$work/iptables.before"${preload ? PRELOAD : ''}`,
    world: '',
    leave: '',
    steps: {
      prepare: 'iptables_flavour=$(iptables -V)',
      switch: 'iptables_commit filter "$work/ipset.copied"',
      // The sets have changed behind their copies, which the filter leaves now.
      loosen: sh`
{ [ ! -s "$work/ipset.copied" ] || iptables_commit filter /dev/null; } && iptables_commit nat /dev/null && iptables_commit raw /dev/null`,
    },
    show: sh`
iptables_live || return 1
printf '%s\n' "$live" | iptables_canonical`,
    alike: IPTABLES,
  }
}
