/**
 * Normal forms: two texts of an artifact have the same one when they differ only where order has no meaning.
 *
 * A program in awk reads what the artifact shows and puts every line, as it comes, with its kind. Neighbours of one kind
 * are a run, and may change places: those with a key unless they have the same, those without always. A line without a
 * kind keeps its place, and nothing is moved across it. Why it is safe: docs/decisions/0013-order-without-meaning.md.
 */

import { sh } from './artifact.ts'

/** The filter that a program is. A line that stands for several has `\001` for their ends. */
function normalForm(program: string): string {
  return sh`awk '${PUT}${program}' | sort -k1,1n -k2,2 -k3,3n -k4 | sed 's/^[^ ]* [^ ]* [^ ]* //' | tr '\001' '\n'`
}

const PUT = sh`
  function put(kind, key, line) {
    if (kind == "" || kind != last) run++
    last = kind
    if (key == "") print run, "-", 0, line
    else print run, key, ++place, line
  }`

/**
 * Rules of iptables, all of them by what they decide, and DNAT and SNAT by the one address that they are for.
 *
 * A rule counts as understood when its matches are among those that have no state of their own. A chain only lets in when
 * it has rules and each of them accepts; a chain whose rules are somebody else's shows none.
 */
export const IPTABLES = normalForm(sh`
  { text[NR] = $0 }
  /^[*]/ { table = $1 }
  /^-A/ { chain[NR] = table " " $2; kind[NR] = understand(); rules[chain[NR]]++; accepting[chain[NR]] += (kind[NR] == "accepts") }
  function understand(  i, to, from) {
    for (i = 3; i < NF && $i !~ /^-[jg]$/; i++) {
      if ($i == "-m" && $(i + 1) !~ /^(set|conntrack|physdev|mark|tcp|udp|icmp)$/) return ""
      if ($(i - 1) != "!" && $(i + 1) ~ /\/32$/) { if ($i == "-d") to = $(i + 1); if ($i == "-s") from = $(i + 1) }
    }
    if (i >= NF) return "counts"
    if ($i == "-g") return ""
    if ($(i + 1) == "DNAT" && to) { key[NR] = to; return "translates" }
    if ($(i + 1) == "SNAT" && from) { key[NR] = from; return "translates back" }
    if (i + 1 < NF) return ""
    if ($NF == "ACCEPT") return "accepts"
    if ($NF == "DROP") return "drops"
    asked[NR] = table " " $NF
    return ""
  }
  END {
    for (n = 1; n <= NR; n++) {
      if (n in asked && rules[asked[n]] && rules[asked[n]] == accepting[asked[n]]) kind[n] = "asks"
      put(kind[n] ? chain[n] " " kind[n] : "", key[n], text[n])
    }
  }`)

/** Bridge rules by the one port that they are for. */
export const EBTABLES = normalForm(sh`
  function port(option,  i) {
    for (i = 3; i < NF; i++) if ($i == option) return $(i - 1) == "!" || $(i + 1) ~ /^!$|[+]$/ ? "" : $(i + 1)
  }
  /^-A/ && port("-i") { put($2 " from", port("-i"), $0); next }
  /^-A/ && port("-o") { put($2 " to", port("-o"), $0); next }
  { put("", "", $0) }`)

/**
 * Hosts of a dhcpd.conf, with the empty lines before them. Where two have a line in common, a MAC or an address, the
 * server may take the first of them: all keep their places. The MAC of zeros is that of instances whose MAC is not known.
 */
export const DHCPD = normalForm(sh`
  function end_of_hosts(  i) {
    for (i = 1; i <= hosts; i++) put(shared ? "" : "host", "", host[i])
    hosts = shared = 0
    split("", seen)
  }
  /^ *host [^ ]+ [{]$/ && !inside { inside = 1; host[++hosts] = blank; blank = "" }
  inside {
    host[hosts] = host[hosts] $0 "\001"
    if (/^ *}$/) { sub(/.$/, "", host[hosts]); inside = 0 } else if (!/ 00:00:00:00:00:00;$/ && seen[$0]++) shared = 1
    next
  }
  /^$/ { blank = blank "\001"; next }
  { end_of_hosts(); put("", "", blank $0); blank = "" }
  END { end_of_hosts() }`)
