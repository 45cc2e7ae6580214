#!/bin/sh
# Brings this node to what the files beside this script say, and tells what it did. What stays running is the watch over a
# window, until the window is over.
#
#   sh apply.sh check [adopting]    can this node carry the bundle? rehearses it in an empty network namespace; changes nothing
#   sh apply.sh commit RUN EPOCH WINDOW [VERSION]
#                                   says that it is ready; when it then reads the line "go", makes it so, reads it back,
#                                   and on any failure goes back; not confirmed within WINDOW seconds, the node goes back
#                                   by itself. VERSION is what the cloud calls the view
#   sh apply.sh adopt RUN EPOCH WINDOW [VERSION]
#                                   stops and disables eucanetd, then as commit
#   sh apply.sh verify RUN CHECK SECONDS
#                                   does what a commit promised work? changes nothing
#   sh apply.sh confirm RUN         makes it the current bundle
#   sh apply.sh abort RUN REASON    goes back
#   sh apply.sh extend RUN SECONDS  the window ends this long from now
#   sh apply.sh expire RUN          watches over the window of a run, and goes back at its end
#   sh apply.sh boot                makes the current bundle anew, when the node was started
#   sh apply.sh serves VERSION      what the cloud calls the view that the current bundle is from
#   sh apply.sh held                does the kernel hold it?
#   sh apply.sh show                what of ours the kernel holds, in the form of the bundle's files
#   sh apply.sh difference          that against what the bundle asks for, as a diff
#   sh apply.sh release             gives the node back to eucanetd, with everything as it is
#   sh apply.sh forget              removes what edgepush remembers here; what the kernel holds stays
#
# Exit status: 0 done, 20 refused and untouched, 21 gone back, 22 neither old nor new is proven, 23 another run has the
# node, and it is untouched. Replies are lines of one word and its text on standard output; everything that tools print
# goes to a log.
set -u
trap '' HUP PIPE
umask 077
LC_ALL=C PATH=/usr/sbin:/sbin:/usr/bin:/bin
export LC_ALL PATH
exec 3>&1

state=/var/lib/edgepush
folder=${0%/*}
[ "$folder" != "$0" ] || folder=.
here=$(cd "$folder" && pwd -P)
script=$here/apply.sh
digest=${here##*/}
verb=${1-}
run=-
want=$here
blocked=$here/blocked
scope="$here $state/current"
work=
rehearsing=
announces=
foreseen=

# The node's options, as the mode resolved them.
CLUSTER_POSITION=''
EUCALYPTUS='/'
VNET_DHCPDAEMON='/usr/sbin/dhcpd'
VNET_PRIVINTERFACE='eth0'
VNET_PUBINTERFACE='eth0'
# What its paths begin with.
eucalyptus=${EUCALYPTUS-}
eucalyptus=${eucalyptus%/}

# Made in this order, swept in the reverse.
artifacts='iptables links addresses dhcpd persistence'
files='iptables.restore links addresses dhcpd.conf edgepush-restore.service'
swept='persistence dhcpd addresses links iptables'
needs='unshare mount flock setsid timeout seq sha256sum sync find awk sed sort comm cmp diff iptables iptables-save iptables-restore ip ip arping conntrack'

newline='
'
reply() {
  case $* in *"$newline"*) set -- "$(printf '%s' "$*" | tr '\n' ' ')" ;; esac
  printf '%s\n' "$*" >&3
}
note() { reply note "$*"; }
complain() { reply error "$*"; }
refuse() { complain "$*"; exit 20; }

# Puts into $pid which process a file names, if that is one whose command line, which has no blanks between its words, is
# like the pattern of the shell.
find_process() { # file pattern
  pid='' command_line=''
  [ ! -e "$1" ] || read -r pid < "$1"
  [ -n "$pid" ] && [ -e "/proc/$pid/cmdline" ] || return 1
  # No line there has an end.
  read -r command_line 2> /dev/null < "/proc/$pid/cmdline"
  case $command_line in $2) ;; *) return 1 ;; esac
}

# Are they the same but for an order that has no meaning? Nearly always the first look, or the second, is enough; the third
# asks for the same lines in any order.
alike() { # artifact text text
  [ "$2" != "$3" ] || return 0
  [ "${#2}" = "${#3}" ] && same_lines "$2" "$3" &&
    [ "$(printf '%s\n' "$2" | "$1_alike")" = "$(printf '%s\n' "$3" | "$1_alike")" ]
}

# Of two texts that are equally long. By a pipe: some shells write here-documents to a disk that may be full.
same_lines() { # text text
  printf '%s\n' "$1" '#/' "$2" | awk '
    $0 == "#/" && !second { second = 1; next }
    !second { left[$0]++; next }
    left[$0]-- <= 0 { other = 1; exit }
    END { exit other }'
}

# ---- iptables: iptables.restore ----
iptables_file='iptables.restore'
iptables_live() {
  live=$(iptables-save) || return 1
  case $live in *'is incompatible, use'*) complain 'iptables-save cannot read a table that nft made'; return 1 ;; esac
}
iptables_canonical() { awk -v owned='^(EUCA_|sg-)' -v hooks='^$' -v entries='^(EUCA_|sg-)' -v policies='^filter FORWARD$' -v blocked="$blocked" '
  function is_former() {
    if (table == "filter" && $2 == "FORWARD") {
      if ($4 == "EUCA_COUNTERS_IN") counted = 1
      if (!counted) return 0
      if (body() == "-m conntrack --ctstate ESTABLISHED -j ACCEPT") return 1
      if (NF == 7 && $3 $4 $6 $7 == "!-d-jACCEPT") return 1
      return NF == 8 && $3 $5 $7 $8 == "-s-d-jACCEPT" && $4 == $6
    }
    if (table != "nat") return 0
    if ($2 == "PREROUTING" || $2 == "OUTPUT") {
      if (/ -d 169[.]254[.]169[.]254\/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination [0-9.]+:8773$/) return NF == 14
      if (NF == 10 && / -j MARK --set-xmark 0x15\/0xffffffff$/) return elastic[$6] = network[$4] = 1
      return NF == 8 && $3 $5 $6 == "-d-jDNAT" && ($4 in elastic)
    }
    if ($2 != "POSTROUTING" || $3 != "-s") return 0
    if (NF == 9 && $8 $9 == "-jMASQUERADE") return $5 $6 == "!-d" && $7 == $4 && ($4 in network)
    return $(NF - 1) == "--to-source" && ($NF "/32") in elastic
  }
  function own(chain) { return chain ~ owned }
  function hook(chain) { return chain ~ hooks }
  function ours(chain) { return own(chain) && !hook(chain) }
  function decides(table, chain) { return table " " chain ~ policies }
  function is_jump() { return $1 == "-A" && NF == 4 && $3 == "-j" && $4 ~ entries && ($2 in builtin) }
  function is_entry() { return $1 == "-A" && ($2 in builtin) && is_former() || is_jump() }
  function body() { return substr($0, length("-A " $2 " ") + 1) }
  function arrange(list, n,  gap, i, j, one) {
    for (gap = int(n / 2); gap > 0; gap = int(gap / 2))
      for (i = gap + 1; i <= n; i++) {
        one = list[i]
        for (j = i; j > gap && (list[j - gap] "") > (one ""); j -= gap) list[j] = list[j - gap]
        list[j] = one
      }
  }
  function keep(part, chain, line,  place) {
    place = table " " part " " chain
    if (!(place in lines)) places[++kept] = place
    text[place, ++lines[place]] = line
  }
  function print_kept(ending,  i, n, at) {
    table = ""
    arrange(places, kept)
    for (i = 1; i <= kept; i++) {
      split(places[i], at, " ")
      if (at[1] != table) { if (table) printf "%s", ending; table = at[1]; print "*" table }
      for (n = 1; n <= lines[places[i]]; n++) print text[places[i], n]
    }
    if (table) printf "%s", ending
  }
  BEGIN { while ((getline < blocked) > 0) if ($1 == "iptables") hidden[$2 " " $3] = 1 }
  { sub(/^\[[0-9]+:[0-9]+\] /, "") }
  /^[*]/ { table = substr($1, 2); split("", builtin) }
  /^:/ { chain = substr($1, 2); if ($2 != "-") builtin[chain] = 1 }
  /^:/ && own(chain) && !((table " " chain) in hidden) { keep(1, chain, ":" chain " - [0:0]") }
  /^:/ && $2 !~ /^(-|ACCEPT)$/ && decides(table, chain) { keep(1, chain, ":" chain " " $2 " [0:0]") }
  is_entry() { keep(2, "-", $0) }
  /^-A/ && ours($2) { keep(3, $2, $0) }
  END { print_kept("COMMIT\n") }'; }
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
  awk -v table="$1" -v source="$source" -v copies="$2" -v owned='^(EUCA_|sg-)' -v hooks='^$' -v entries='^(EUCA_|sg-)' -v policies='^filter FORWARD$' -v blocked="$blocked" \
    -v stays="$work/iptables.stays" '
  function is_former() {
    if (table == "filter" && $2 == "FORWARD") {
      if ($4 == "EUCA_COUNTERS_IN") counted = 1
      if (!counted) return 0
      if (body() == "-m conntrack --ctstate ESTABLISHED -j ACCEPT") return 1
      if (NF == 7 && $3 $4 $6 $7 == "!-d-jACCEPT") return 1
      return NF == 8 && $3 $5 $7 $8 == "-s-d-jACCEPT" && $4 == $6
    }
    if (table != "nat") return 0
    if ($2 == "PREROUTING" || $2 == "OUTPUT") {
      if (/ -d 169[.]254[.]169[.]254\/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination [0-9.]+:8773$/) return NF == 14
      if (NF == 10 && / -j MARK --set-xmark 0x15\/0xffffffff$/) return elastic[$6] = network[$4] = 1
      return NF == 8 && $3 $5 $6 == "-d-jDNAT" && ($4 in elastic)
    }
    if ($2 != "POSTROUTING" || $3 != "-s") return 0
    if (NF == 9 && $8 $9 == "-jMASQUERADE") return $5 $6 == "!-d" && $7 == $4 && ($4 in network)
    return $(NF - 1) == "--to-source" && ($NF "/32") in elastic
  }
  function own(chain) { return chain ~ owned }
  function hook(chain) { return chain ~ hooks }
  function ours(chain) { return own(chain) && !hook(chain) }
  function decides(table, chain) { return table " " chain ~ policies }
  function is_jump() { return $1 == "-A" && NF == 4 && $3 == "-j" && $4 ~ entries && ($2 in builtin) }
  function is_entry() { return $1 == "-A" && ($2 in builtin) && is_former() || is_jump() }
  function body() { return substr($0, length("-A " $2 " ") + 1) }
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
  }' "$work/iptables.live" > "$work/iptables.$1"
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
}
iptables_check() {
# Of what is in there a shell reads one digit.
said=
read -r said < /proc/sys/net/ipv4/ip_forward
[ "$said" = 1 ] ||
  { complain 'net.ipv4.ip_forward is 0, the node forwards nothing: sysctl -w net.ipv4.ip_forward=1'; return 1; }

[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || [ "$(cat /proc/sys/net/bridge/bridge-nf-call-iptables)" = 0 ] ||
  note 'net.bridge.bridge-nf-call-iptables is 1: no instance reaches a public address of its own bridge, be it its own: sysctl -w net.bridge.bridge-nf-call-iptables=0'
# Both kinds of tables filter, whichever of them iptables shows; where no legacy table is, there are no legacy chains.
case $(iptables -V) in *nf_tables*) other=iptables-legacy ;; *) other=iptables-nft ;; esac
if [ "$other" = iptables-nft ] || read -r _ 2> /dev/null < /proc/net/ip_tables_names; then
  "$other-save" 2> /dev/null | awk -v owned='^(EUCA_|sg-)' '/^:/ && substr($1, 2) ~ owned { found = 1 } END { exit found }' || {
    complain "$(iptables -V) is in use, but there are chains of ours that only $other shows, and both filter: make it the one in use (update-alternatives --config iptables), flush the node with edgepush flush, and go back"
    return 1
  }
fi
iptables_live || return 1
printf '%s\n' "$live" | awk -v entries='^(EUCA_|sg-)' '
  /^[*]/ { table = $1 }
  table != "*filter" || $1 != "-A" || $2 != "FORWARD" { next }
  $3 == "-j" && $4 ~ entries && !ours++ { printf "%s", before }
  $(NF - 1) == "-j" && $NF == "ACCEPT" { before = before $0 "\n" }' > "$work/iptables.before"
while read -r rule; do
  note "the rule $rule stands before ours: on what it lets through, no group decides"
done < "$work/iptables.before"
preload=$eucalyptus/etc/eucalyptus/iptables-preload
if [ -r "$preload" ]; then
  unshare --net sh -c 'iptables-restore < "$1" && iptables-save' preload "$preload" > "$work/iptables.preload" 2> "$work/said" ||
    note "the rules of $preload cannot be loaded: $(tail -n 1 "$work/said")"
  printf '%s
' "$live" | grep '^-A' > "$work/iptables.there"
  absent=$(grep '^-A' "$work/iptables.preload" | grep -cvxFf "$work/iptables.there")
  [ "$absent" = 0 ] || note "the kernel does not have $absent of the rules of $preload; to load it: iptables-restore --noflush < $preload"
fi
}
iptables_world() {
:
}
iptables_prepare() {
iptables_flavour=$(iptables -V)
}
iptables_tighten() {
:
}
iptables_switch() {
iptables_commit filter "$work/ipset.copied"
}
iptables_loosen() {
{ [ ! -s "$work/ipset.copied" ] || iptables_commit filter /dev/null; } && iptables_commit nat /dev/null && iptables_commit raw /dev/null
}
iptables_sweep() {
:
}
iptables_leave() {
:
}
iptables_tidy() {
:
}
iptables_show() {
iptables_live || return 1
printf '%s\n' "$live" | iptables_canonical
}
iptables_alike() {
awk '
  function put(kind, key, line) {
    if (kind == "" || kind != last) run++
    last = kind
    if (key == "") print run, "-", 0, line
    else print run, key, ++place, line
  }
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
  }' | sort -k1,1n -k2,2 -k3,3n -k4 | sed 's/^[^ ]* [^ ]* [^ ]* //' | tr '\001' '\n'
}

# ---- links: links ----
links_file='links'
links_live() { # folders
  live=$(ip -d -o link show) && addresses=$(ip -4 -o address show) || return 1
  printf '%s\n' "$live" "$addresses" | awk -v folders="$1" -v owned='^sg-' -v blocked="$blocked" '
  function number(address,  part) { split(address, part, "."); return ((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4] }
  function read_file(file,  at) {
    while ((getline < file) > 0) {
      if ($2 == "vlan") named[$1] = 1
      if ($2 == "within") { split($3, at, "/"); on[++pools] = $1; size[pools] = 2 ^ (32 - at[2]); base[pools] = number(at[1]) }
    }
    close(file)
  }
  function claimed(device, address,  i, value) {
    value = number(address)
    for (i = 1; i <= pools; i++) if (on[i] == device && base[i] <= value && value < base[i] + size[i]) return 1
    return 0
  }
  function after(word,  i) { for (i = 4; i < NF; i++) if ($i == word) return $(i + 1); return "" }
  function state() { return $3 ~ /[<,]UP[,>]/ ? "up" : "down" }
  BEGIN {
    n = split(folders, folder, " "); for (i = 1; i <= n; i++) read_file(folder[i] "/links")
    while ((getline < blocked) > 0) if ($1 == "links") hidden[$2] = 1
  }
  $2 ~ /:$/ {
    device = $2; sub(/:$/, "", device); parent = device; sub(/@.*/, "", device); sub(/^[^@]*@/, "", parent)
    if (/ bridge forward_delay /) {
      is_bridge[device] = device ~ owned && !(device in hidden)
      if (is_bridge[device]) print device, "bridge stp", after("stp_state"), "forward_delay", after("forward_delay"), "hello_time", after("hello_time"), "promisc", $3 ~ /PROMISC/ ? "on" : "off", state()
    }
    master = after("master")
    if (/ vlan protocol / && !(master in hidden) && (master ~ owned || device in named))
      print device, "vlan parent", parent, "id", after("id"), "master", master ? master : "none", state()
    next
  }
  {
    device = $2; address = $4; sub(/\/.*/, "", address)
    if (!is_bridge[device] && !claimed(device, address) || $4 ~ /\/32$/) next
    line = device " " $4
    if (after("brd")) line = line " broadcast " after("brd")
    print line, "scope", after("scope")
  }' | sort
}
# Ports that are not ours: whoever put them there still uses the bridge.
links_users() { # bridge
  ip -o link show master "$1" | awk -v live="$work/links.live" '
    BEGIN { while ((getline < live) > 0) if ($2 == "vlan") ours[$1] = 1 }
    { sub(/[@:].*/, "", $2); if (!($2 in ours)) print $2 }'
}
links_check() {
for device in $(awk '$2 == "vlan" { print $4 } $2 == "within" { print $1 }' "$want/links" 2> /dev/null | sort -u); do
  ip link show dev "$device" > /dev/null 2>&1 || { complain "there is no interface $device"; return 1; }
  [ -n "$(ip link show dev "$device" up)" ] || note "the interface $device is down: nothing of what is made on it is reached"
done
# Somebody else's devices of these names would be taken for ours from then on.
links_live "$state/current" > "$work/links.ours" || return 1
awk '$2 ~ /^(bridge|vlan)$/ { print $1, $2 }' "$want/links" > "$work/links.named" 2> /dev/null
while read -r device kind; do
  ! ip link show dev "$device" > /dev/null 2>&1 || grep -q "^$device $kind " "$work/links.ours" ||
    { complain "there is a device $device that is not ours: the $kind of that name cannot be made; rename or remove it"; return 1; }
done < "$work/links.named"
}
links_world() {
for device in $(awk '$2 == "vlan" { print $4 } $2 == "within" { print $1 }' "$want/links" 2> /dev/null | sort -u); do stand_in "$device" || return 1; done
}
links_prepare() {
links_show > "$work/links.live" || return 1
file=$want/links
[ -e "$file" ] || file=/dev/null
awk -v file="$file" -v gone="$work/links.gone" -v made="$work/links.made" -v stale="$work/links.stale" '
  function key() { return $2 ~ /^(bridge|vlan)$/ ? $1 " " $2 : $0 }
  BEGIN {
    while ((getline < file) > 0) if ($2 && $1 !~ /^#/ && $2 != "within") { lines[++n] = $0; wanted[key()] = $0 }
    printf "" > gone; printf "" > made; printf "" > stale
  }
  { there[key()] = $0 }
  key() in wanted && wanted[key()] == $0 { next }
  $2 == "bridge" { if (!(key() in wanted)) print $1 > stale; next }
  $2 == "vlan" {
    if (!(key() in wanted)) { print $1 > stale; next }
    split(wanted[key()], to, " ")
    if (to[4] != $4 || to[6] != $6) { print "link del dev " $1 > gone; delete there[key()] }
    next
  }
  { print "addr del " $2 " dev " $1 > gone }
  function make(line,  at, device) {
    split(line, at, " "); device = at[1]
    if (at[2] == "bridge") {
      if (!((device " bridge") in there)) print "link add name " device " type bridge" > made
      print "link set dev " device " type bridge stp_state " at[4] " forward_delay " at[6] " hello_time " at[8] > made
      print "link set dev " device " promisc " at[10] > made
      print "link set dev " device " " at[11] > made
    } else if (at[2] == "vlan") {
      if (!((device " vlan") in there)) print "link add link " at[4] " name " device " type vlan id " at[6] > made
      print "link set dev " device (at[8] == "none" ? " nomaster" : " master " at[8]) > made
      print "link set dev " device " " at[9] > made
    } else print "addr add " at[2] (at[3] == "broadcast" ? " broadcast " at[4] : "") " scope " at[at[3] == "broadcast" ? 6 : 4] " dev " device > made
  }
  END {
    for (pass = 1; pass <= 3; pass++) for (i = 1; i <= n; i++) {
      split(lines[i], at, " "); place = at[2] == "bridge" ? 1 : at[2] == "vlan" ? 2 : 3
      id = place < 3 ? at[1] " " at[2] : lines[i]
      if (place == pass && (!(id in there) || there[id] != lines[i])) make(lines[i])
    }
  }' "$work/links.live"
}
links_tighten() {
:
}
links_switch() {
:
}
links_loosen() {
[ ! -s "$work/links.gone" ] || ip -batch "$work/links.gone" || return 1
[ ! -s "$work/links.made" ] || ip -batch "$work/links.made"
}
links_sweep() {
: > "$work/links.unused"
while read -r device; do
  users=$(links_users "$device" | tr '\n' ' ')
  if [ -z "$users" ]; then echo "$device" >> "$work/links.unused"; continue; fi
  echo "links $device" >> "$blocked"
  note "the bridge $device is no longer wanted but is in use: it stays (its ports: $users)"
done < "$work/links.stale"
# A VLAN device whose bridge stays is that bridge's uplink.
while read -r device; do
  master=$(awk -v device="$device" '$1 == device && $2 == "vlan" { print $8 }' "$work/links.live")
  grep -qsx "links $master" "$blocked" || ip link del dev "$device" || return 1
done < "$work/links.unused"
}
links_leave() {
:
}
links_tidy() {
:
}
links_show() {
links_live "$scope $want"
}
links_alike() {
cat
}

# ---- addresses: addresses ----
addresses_file='addresses'
# Neighbours keep an address for minutes; a lost announcement would be lost traffic, so it is said three times. A shell of
# its own, because a subshell would keep this one's descriptors, and with them the login that waits for our end.
addresses_announce() { # address device
  sh -c '
    for _ in 1 2 3; do
      if arping -V 2>&1 | grep -q iputils; then arping -q -c 1 -w 1 -U -I "$2" "$1"
      else arping -q -c 1 -w 1 -P -U -i "$2" -S "$1" "$1"; fi
    done' announce "$1" "$2" < /dev/null > /dev/null 2>&1 3>&- 9>&- &
}
addresses_check() {
for device in $(awk '/^[pa]/ && $3 == "dev" && !told[$4]++ { print $4 }' "$want/addresses" 2> /dev/null); do
  flags=
  read -r flags 2> /dev/null < "/sys/class/net/$device/flags"
  [ -n "$flags" ] || { complain "there is no interface $device"; return 1; }
  [ $((flags & 1)) = 1 ] || note "the interface $device is down: nobody reaches the elastic addresses on it"
done
ip -4 -o address show > "$work/addresses.live" || return 1
awk -v file="$want/addresses" '
  function number(address,  part) { split(address, part, "."); return ((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4] }
  function in_pool(device, value,  i) {
    for (i = 1; i <= pools; i++) if (on[i] == device && first[i] <= value && value <= last[i]) return 1
    return 0
  }
  function read_file(file,  n, end) {
    while ((getline < file) > 0) {
      if ($1 == "pool") { n = split($2, end, "-"); on[++pools] = $4; first[pools] = number(end[1]); last[pools] = number(end[n]) }
      if ($1 == "address") named[$2 " " $4] = 1
    }
    close(file)
  }
  BEGIN { read_file(file) }
  {
    device = $2; sub(/@.*/, "", device); address = $4; sub(/\/.*/, "", address)
    if ($4 !~ /\/32$/ && in_pool(device, number(address))) print $4, device
  }' "$work/addresses.live" > "$work/addresses.stray"
while read -r address device; do
  note "$address on $device is in the pool of elastic addresses but is not a /32, so it may be the node's own: it stays; if it is a leftover, remove it: ip addr del $address dev $device"
done < "$work/addresses.stray"
}
addresses_world() {
for device in $(awk '/^[pa]/ && $3 == "dev" && !told[$4]++ { print $4 }' "$want/addresses" 2> /dev/null); do stand_in "$device" || return 1; done
}
addresses_prepare() {
addresses_show > "$work/addresses.live" || return 1
awk -v file="$want/addresses" -v revoked="$work/addresses.revoked" -v new="$work/addresses.new" '
  BEGIN {
    printf "" > revoked; printf "" > new
    while ((getline < file) > 0) if ($1 == "address") { lines[++n] = $0; wanted[$0] = 1 }
  }
  $0 in wanted { there[$0] = 1; next }
  { print > revoked }
  END { for (i = 1; i <= n; i++) if (!(lines[i] in there)) print lines[i] > new }' "$work/addresses.live"
}
addresses_tighten() {
[ ! -s "$work/addresses.revoked" ] || sed 's/^address/addr del/' "$work/addresses.revoked" | ip -batch -
}
addresses_switch() {
:
}
addresses_loosen() {
[ ! -s "$work/addresses.new" ] || sed 's/^address/addr replace/' "$work/addresses.new" | ip -batch -
}
addresses_sweep() {
[ -z "$rehearsing" ] || return 0
while IFS=' /' read -r _ address _; do
  conntrack -D --orig-dst "$address" > /dev/null 2>&1
  conntrack -D --reply-dst "$address" > /dev/null 2>&1
done < "$work/addresses.revoked"
# One of the link is the same on every host, and nobody else's business.
while IFS=' /' read -r _ address _ _ device link_only; do
  [ -n "$link_only" ] || addresses_announce "$address" "$device"
done < "$work/addresses.new"
:
}
addresses_leave() {
:
}
addresses_tidy() {
:
}
addresses_show() {
live=$(ip -4 -o address show) || return 1
printf '%s\n' "$live" | awk -v folders="$scope $want" '
  function number(address,  part) { split(address, part, "."); return ((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4] }
  function in_pool(device, value,  i) {
    for (i = 1; i <= pools; i++) if (on[i] == device && first[i] <= value && value <= last[i]) return 1
    return 0
  }
  function read_file(file,  n, end) {
    while ((getline < file) > 0) {
      if ($1 == "pool") { n = split($2, end, "-"); on[++pools] = $4; first[pools] = number(end[1]); last[pools] = number(end[n]) }
      if ($1 == "address") named[$2 " " $4] = 1
    }
    close(file)
  }
  function arrange(list, n,  gap, i, j, one) {
    for (gap = int(n / 2); gap > 0; gap = int(gap / 2))
      for (i = gap + 1; i <= n; i++) {
        one = list[i]
        for (j = i; j > gap && (list[j - gap] "") > (one ""); j -= gap) list[j] = list[j - gap]
        list[j] = one
      }
  }
  BEGIN { n = split(folders, folder, " "); for (i = 1; i <= n; i++) read_file(folder[i] "/addresses") }
  { device = $2; sub(/@.*/, "", device) }
  $4 ~ /\/32$/ && (($4 " " device) in named || in_pool(device, number(substr($4, 1, length($4) - 3)))) {
    line = "address " $4 " dev " device ($0 ~ / scope link / ? " scope link" : "")
    if (!there[line]++) lines[++found] = line
  }
  END { arrange(lines, found); for (i = 1; i <= found; i++) print lines[i] }'
}
addresses_alike() {
cat
}

# ---- dhcpd: dhcpd.conf ----
dhcpd_file='dhcpd.conf'
dhcpd_parent=$eucalyptus/var/run/eucalyptus
dhcpd_folder=$dhcpd_parent/net
dhcpd_unit=""
dhcpd_managed() { [ -n "$dhcpd_unit" ] && [ -z "$rehearsing" ] && [ -d /run/systemd/system ] && systemctl cat "$dhcpd_unit" > /dev/null 2>&1; }
dhcpd_pid() { find_process "$dhcpd_folder/euca-dhcp.pid" '*-cf*euca-dhcp.conf*'; }
dhcpd_running() { if dhcpd_managed; then systemctl is-active --quiet "$dhcpd_unit"; else dhcpd_pid; fi; }
dhcpd_stop() {
  if dhcpd_managed; then systemctl stop "$dhcpd_unit"; return; fi
  dhcpd_pid || return 0
  kill "$pid"
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    # A process that ends loses its command line before it lets go of its sockets.
    grep -q '^State:.[^XZ]' "/proc/$pid/status" 2> /dev/null || return 0
    sleep 0.1
  done
  kill -9 "$pid"
}
dhcpd_start() {
  if dhcpd_managed; then systemctl restart "$dhcpd_unit"; return; fi
  # With a number in that file that somebody else has by now, it would not start.
  dhcpd_stop || return 1
  [ ! -e "$dhcpd_folder/euca-dhcp.pid" ] || rm -f "$dhcpd_folder/euca-dhcp.pid" || return 1
  # What it says comes through a pipe: where AppArmor confines it, it may not write to a file of ours. A daemon that hangs
  # before it lets go of the pipe is not waited for.
  {
    "$VNET_DHCPDAEMON" -4 -cf "$dhcpd_folder/euca-dhcp.conf" -lf "$dhcpd_folder/euca-dhcp.leases" -pf "$dhcpd_folder/euca-dhcp.pid" 2>&1
    printf '\n#ended %s\n' $?
  } < /dev/null 3>&- 9>&- | while read -r first rest; do
    case $first in '#ended') exit "$rest" ;; ?*) printf '%s\n' "$first $rest" ;; esac
  done > "$work/dhcpd.said" && return
  said=$(cat "$work/dhcpd.said")
  complain "dhcpd does not start: $(printf '%s\n' "$said" | sed -e '/^If you think/,$d' -e '/^\(Internet\|Copyright\|All rights\|For info\|Config file\|Database\|PID\|Wrote\|Listening\|Sending\|WARNING\|$\)/d' | head -n 2 | tr '\n' ' ')"
  case $said in *'ermission denied'*) ! dhcpd_confined || complain "AppArmor confines dhcpd: /etc/apparmor.d/local/usr.sbin.dhcpd has to allow $dhcpd_folder" ;; esac
  return 1
}
dhcpd_confined() { grep -qs 'dhcpd (enforce)$' /sys/kernel/security/apparmor/profiles; }
dhcpd_check() {
[ -x "$VNET_DHCPDAEMON" ] || { complain "there is no DHCP server $VNET_DHCPDAEMON"; return 1; }
[ -d "$dhcpd_parent" ] || { complain "there is no $dhcpd_parent: is Eucalyptus installed here?"; return 1; }
}
dhcpd_world() {
mount -t tmpfs -o mode=755 edgepush "$dhcpd_parent" && mkdir -p "$dhcpd_folder"
}
dhcpd_prepare() {
:
}
dhcpd_tighten() {
:
}
dhcpd_switch() {
:
}
dhcpd_loosen() {
conf=$dhcpd_folder/euca-dhcp.conf
if [ ! -f "$want/dhcpd.conf" ]; then dhcpd_stop && rm -f "$conf" "$dhcpd_folder"/euca-dhcp.leases* "$dhcpd_folder/euca-dhcp.pid"; return; fi
answers=yes
grep -q '^ *host ' "$want/dhcpd.conf" || answers=
# Going back to a file without its daemon: eucanetd leaves a node like that when its last instance is gone.
[ ! -f "$want/expected/dhcpd" ] || grep -q '^#=' "$want/expected/dhcpd" || answers=
[ -n "$answers" ] || dhcpd_stop || return 1
[ -e "$conf" ] && cmp -s "$want/dhcpd.conf" "$conf" && { [ -z "$answers" ] || dhcpd_running; } && return
[ -d "$dhcpd_folder" ] || mkdir -p "$dhcpd_folder" || return 1
( umask 022; cat "$want/dhcpd.conf" > "$conf.next" && sync "$conf.next" && mv -f "$conf.next" "$conf" ) || return 1
[ -e "$dhcpd_folder/euca-dhcp.leases" ] || : > "$dhcpd_folder/euca-dhcp.leases" || return 1
[ -z "$answers" ] || dhcpd_start
}
dhcpd_sweep() {
:
}
dhcpd_leave() {
:
}
dhcpd_tidy() {
[ ! -e "$dhcpd_folder/euca-dhcp.conf.next" ] || rm -f "$dhcpd_folder/euca-dhcp.conf.next"
}
dhcpd_show() {
[ ! -e "$dhcpd_folder/euca-dhcp.conf" ] || cat "$dhcpd_folder/euca-dhcp.conf"
if dhcpd_running; then echo "#= a daemon answers"; fi
}
dhcpd_alike() {
awk '
  function put(kind, key, line) {
    if (kind == "" || kind != last) run++
    last = kind
    if (key == "") print run, "-", 0, line
    else print run, key, ++place, line
  }
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
  END { end_of_hosts() }' | sort -k1,1n -k2,2 -k3,3n -k4 | sed 's/^[^ ]* [^ ]* [^ ]* //' | tr '\001' '\n'
}

# ---- persistence: edgepush-restore.service ----
persistence_file='edgepush-restore.service'
persistence_place=/etc/systemd/system
# A rehearsal has the node's own /etc.
persistence_places() {
  if [ -n "$rehearsing" ]; then persistence_folder=$work/systemd; else persistence_folder=$persistence_place; fi
  persistence_unit=$persistence_folder/$persistence_file
  persistence_wants=$persistence_folder/multi-user.target.wants
  persistence_link=$persistence_wants/$persistence_file
}
persistence_enabled() { [ -L "$persistence_link" ] && [ "$(readlink "$persistence_link")" = "$persistence_place/$persistence_file" ]; }
persistence_reload() { [ -n "$rehearsing" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload; }
persistence_remove() {
  persistence_places
  [ -e "$persistence_unit" ] || [ -L "$persistence_link" ] || return 0
  rm -f "$persistence_link" "$persistence_unit" && sync "$persistence_folder" && persistence_reload
}
# What systemctl enable does.
persistence_enable() {
  mkdir -p "$persistence_wants" && ln -sfn "$persistence_place/$persistence_file" "$persistence_link" && sync "$persistence_wants"
}
persistence_check() {
[ ! -f "$want/$persistence_file" ] || [ -d "$persistence_place" ] ||
  { complain "there is no $persistence_place: persist is for nodes with systemd"; return 1; }
}
persistence_world() {
:
}
persistence_prepare() {
:
}
persistence_tighten() {
:
}
persistence_switch() {
:
}
persistence_loosen() {
if [ ! -f "$want/$persistence_file" ]; then persistence_remove; return; fi
persistence_places
( umask 022
  mkdir -p "$persistence_folder" && cat "$want/$persistence_file" > "$persistence_unit.new" && sync "$persistence_unit.new" &&
    mv -fT "$persistence_unit.new" "$persistence_unit" && persistence_enable
) || return 1
# Going back to one that somebody had disabled.
[ ! -f "$want/expected/persistence" ] || grep -q '^#=' "$want/expected/persistence" || rm -f "$persistence_link"
sync "$persistence_folder" && persistence_reload
}
persistence_sweep() {
:
}
persistence_leave() {
persistence_remove
}
persistence_tidy() {
[ ! -e "$persistence_place/$persistence_file.new" ] || rm -f "$persistence_place/$persistence_file.new"
}
persistence_show() {
persistence_places
[ ! -e "$persistence_unit" ] || cat "$persistence_unit"
if persistence_enabled; then echo '#= it is enabled'; fi
}
persistence_alike() {
cat
}

# ---- does metadata work? ----
try_metadata() {
asked=$(sed -n 's/^-A EUCA_PREROUTING .*-d 169\.254\.169\.254\/32 .*--to-destination //p' "$want/iptables.restore")
[ -n "$asked" ] || return 0
host=$(echo "$asked" | cut -d : -f 1)
port=$(echo "$asked" | cut -d : -f 2)
for tool in curl wget bash perl python3 busybox; do
  ! command -v "$tool" > /dev/null || break
  tool=none
done
case $tool in
  curl) curl -s -o /dev/null --noproxy '*' "http://$asked/" ;;
  # 8: there is no such page.
  wget) wget -q -O /dev/null --no-proxy -t 1 "http://$asked/" || [ $? = 8 ] ;;
  bash) bash -c 'exec 4<> "/dev/tcp/$0/$1" && printf "GET / HTTP/1.0\r\n\r\n" >&4 && read -r _ <&4' "$host" "$port" ;;
  perl) perl -MIO::Socket::INET -e '
    $metadata = IO::Socket::INET->new("@ARGV") or exit 1;
    print $metadata "GET / HTTP/1.0\r\n\r\n";
    exit !defined readline $metadata' "$asked" ;;
  python3) python3 -c 'import socket, sys
metadata = socket.create_connection(sys.argv[1:])
metadata.sendall(b"GET / HTTP/1.0\r\n\r\n")
sys.exit(not metadata.recv(1))' "$host" "$port" ;;
  busybox) printf 'GET / HTTP/1.0\r\n\r\n' | busybox nc "$host" "$port" | grep -q . ;;
  *) complain 'there is none of curl, wget, bash, perl, python3 and busybox to ask with'; return 1 ;;
esac 2> /dev/null || { complain "nothing answers at $asked, where instances are sent for their metadata"; return 1; }
}

# ---- what this node remembers ----
# Files are exchanged whole. The journal only grows, and each of its lines begins with a digest of itself and the line
# before: <digest> <time> <run> <bundle> <what>.

# It syncs files and folders, not all of the disk's caches: the disks of instances may have gigabytes there.
put() { # file text
  printf '%s\n' "$2" > "$1.new" && sync "$1.new" && mv -f "$1.new" "$1" && sync "${1%/*}"
}

# History, not truth: that a line does not fit on the disk stops nothing.
journal() {
  [ -n "$link" ] || find_link
  line="$(date -u +%Y-%m-%dT%H:%M:%SZ) $run ${digest%"${digest#????????????}"} $*"
  link=$(sha256sum << END
$link $line
END
)
  link=${link%% *}
  { printf '%s %s\n' "$link" "$line" >> "$state/journal" && sync "$state/journal"; } 2> /dev/null || link=
}

# Puts into $link the digest that the last line begins with. Only who has the lock writes there, so it is looked for once.
link=
find_link() {
  book=$state/journal
  [ -s "$book" ] && latest=$book || latest=$book.1
  earlier=$(tail -n 1 "$latest" 2> /dev/null; echo .)
  case $earlier in
    . | *"$newline".) ;;
    # A line without its end is one that a power cut left behind.
    *) { echo ' (torn)' >> "$latest"; } 2> /dev/null ;;
  esac
  earlier=${earlier%.}
  link=${earlier%% *}
}

# Ten thousand pushes or so.
turn_the_page() { [ "$(wc -l < "$state/journal")" -lt 30000 ] || mv -f "$state/journal" "$state/journal.1"; }

# The last word of the journal on this run.
last_word() {
  cat "$state/journal.1" "$state/journal" 2> /dev/null |
    awk -v run="$run" '$3 == run { $1 = $2 = $3 = $4 = ""; last = $0 } END { sub(/^ +/, "", last); print last }'
}

read -r boot_id < /proc/sys/kernel/random/boot_id
# Puts into $now the seconds since the node was started: nobody sets this clock.
read_clock() { read -r now _ < /proc/uptime && now=${now%%.*}; }

# Puts into $pending_run and so on what is written down of a commit that nobody has confirmed yet; its state is committing
# or awaiting. Only who has the lock writes it.
recall() {
  pending_run='' pending_bundle='' pending_boot='' pending_state='' pending_until='' pending_window='' pending_before=''
  pending_version='' pending_adopting=''
  [ -e "$state/pending" ] || return 0
  while read -r field said; do eval "pending_$field=\$said"; done < "$state/pending"
}

# ---- the transaction ----

# One piece of one artifact; what its tools say is told only when it fails.
perform() { # artifact piece
  "$1_$2" > "$work/log" 2>&1 && return
  [ ! -s "$work/log" ] || complain "$1 $2: $(grep -v '^$' "$work/log" | tail -n 5 | tr '\n' ' ')"
  complain "$1: $2 failed"
  return 1
}

# Brings everything that is ours to what $want says, from any state. A script that dies in the middle leaves a mix that
# lets nothing pass that both the old and the new policy deny.
converge() {
  [ -n "$foreseen" ] || foresee || return 1
  foreseen=
  for phase in tighten switch loosen; do
    for name in $artifacts; do changed "$name" || continue; perform "$name" "$phase" || return 1; done
    [ "$phase" != switch ] || [ -z "$announces" ] || reply activated "$(date +%s.%N)"
  done
  for name in $swept; do changed "$name" || continue; perform "$name" sweep || return 1; done
}

# Finds out what there is to do, and writes it down as far as it can be known beforehand. Changes nothing.
foresee() { # [what was there a moment ago]
  # In a rehearsal nothing is there yet.
  changes=$artifacts
  [ -n "$rehearsing" ] || { find_differing "${1-}"; changes=$wrong; }
  # An artifact may add to them.
  for name in $artifacts; do changed "$name" || continue; perform "$name" prepare || return 1; done
  foreseen=yes
}

changed() { case " $changes " in *" $1 "*) ;; *) return 1 ;; esac; }

# Puts into $wrong the artifacts of which the kernel, or what was saved of it, does not hold what the rehearsal of $want
# showed.
find_differing() { # [folder]
  wrong=
  # Nearly always nothing does, or little.
  if [ -n "${1-}" ]; then differences=$(diff -rq "$1/expected" "$want/expected")
  elif [ "$(show 2> /dev/null)" = "$(shown_in "$want")" ]; then return; fi
  for name in $artifacts; do
    if [ -z "${1-}" ]; then
      # What cannot be read is not what was wanted, also where that is nothing.
      there=$("${name}_show" 2> /dev/null) || there='# cannot be read'
    else
      case $differences in *"/expected/$name and "* | *"/expected: $name"*) ;; *) continue ;; esac
      there=
      [ ! -s "$1/expected/$name" ] || there=$(cat "$1/expected/$name")
    fi
    [ -f "$want/expected/$name" ] && alike "$name" "$there" "$(cat "$want/expected/$name")" || wrong="$wrong $name"
  done
  wrong=${wrong# }
}

# What the rehearsal of a bundle showed, in the form of show.
shown_in() ( # folder
  cd "$1/expected" && awk 'BEGIN {
    for (i = 1; i < ARGC; i++) {
      print "# " ARGV[i]
      while ((got = (getline line < ARGV[i])) > 0) print line
      if (got < 0) print "# missing"
    }
  }' $artifacts
)

# Makes what the folder says, and proves it.
make() { # folder
  want=$1
  blocked=$1/blocked
  converge || return 1
  find_differing
  [ -z "$wrong" ] || { complain "the kernel does not hold what was written: $wrong"; return 1; }
}

# Everything of ours as it is, in the form of a bundle: going back is converging on it. What a line that begins with #=
# says is true of the node but not part of the file.
save() { # folder
  want=/nonexistent
  blocked=/nonexistent
  [ ! -e "$1" ] || rm -rf "$1" || return 1
  mkdir -p "$1/expected" || return 1
  for name in $artifacts; do
    "${name}_show" > "$1/expected/$name" || return 1
    eval "file=\$${name}_file"
    [ ! -s "$1/expected/$name" ] || sed '/^#=/d' "$1/expected/$name" > "$1/$file" || return 1
  done
  sync "$1" "$1"/* "$1"/expected/*
}

# The lock goes with the last process that has it, a tool of a script that was killed too: nobody dead ever holds it.
# What is written in between is in memory: going back needs no disk.
lock() { # the seconds to wait
  [ -e "$state/lock" ] || { : > "$state/lock"; } 2> /dev/null || refuse "$state cannot be written"
  exec 9< "$state/lock"
  flock -w "${1:-30}" 9 || { complain 'another run works on this node'; exit 23; }
  recall
  sweep_leftovers
  for work in "/run/edgepush.$$" "$state/work.$$"; do ! mkdir "$work" 2> /dev/null || break; done
  [ -d "$work" ] || refuse '/run cannot be written'
  trap 'rm -rf "$work"' EXIT
}

# What runs that died have left behind; only what a run still goes back to is of use.
sweep_leftovers() {
  for left in /run/edgepush.* "$state"/work.* "$state"/snap/*; do
    [ ! -e "$left" ] || [ "$left" = "$pending_before" ] || rm -rf "$left"
  done
  for name in $artifacts; do "${name}_tidy"; done
}

check() { # [adopting]
  missing=
  for command in $needs; do command -v "$command" > /dev/null || missing="$missing $command"; done
  [ -z "$missing" ] || refuse "this node lacks:$missing"
  leave_others_alone
  # With ends of lines of another system, every line would be one that nobody knows, and passed over.
  strange=$(cd "$here" && grep -l '[^ -~]' $files 2> /dev/null)
  [ -z "$strange" ] || refuse "$strange holds more than printable ASCII"
  [ "${1-}" = adopting ] || ! eucanetd_runs ||
    refuse 'eucanetd runs on this node and would undo every change: take the node over with edgepush adopt'
  for name in $artifacts; do perform "$name" check || exit 20; done
  rehearsal
  reply state checked
}

rehearsal() {
  ip -4 -o address show > "$work/addresses.host"
  unshare --net --mount --pid --fork --mount-proc sh "$script" rehearse "$work" 9>&- 2> "$work/said" ||
    refuse "the rehearsal failed$(tail -n 1 "$work/said" | sed 's/^/: /')"
  # A node whose disk takes no more can still be started.
  ! diff -r "$work/expected" "$here/expected" > /dev/null 2>&1 || return 0
  rm -rf "$here/expected.new" && cp -R "$work/expected" "$here/expected.new" && sync "$here/expected.new" "$here"/expected.new/* &&
    rm -rf "$here/expected" && mv "$here/expected.new" "$here/expected" || refuse "$here cannot be written"
}

# The same steps in an empty network namespace: same kernel, same tools, no effect. What the kernel shows there is what
# it must show after a commit. The namespace's own processes end with it.
rehearse() { # scratch folder of the check
  work=$1
  rehearsing=yes
  stand_ins=lo
  scope=$here
  blocked=$work/blocked
  ip link set lo up && mkdir "$work/expected" || exit 20
  for name in $artifacts; do perform "$name" world || exit 20; done
  converge || exit 20
  for name in $artifacts; do "${name}_show" > "$work/expected/$name" || exit 20; done
}

# An interface of that name, in the namespace of a rehearsal, where several artifacts may ask for it.
stand_in() { # name
  case " $stand_ins " in *" $1 "*) return ;; esac
  stand_ins="$stand_ins $1"
  ip -batch - << END
link add $1 type bridge
link set $1 up
END
}

# Nothing is touched before the state to go back to is on the disk, the epoch is stored, and somebody watches the window.
commit() { # epoch window version
  exec 4<&0 < /dev/null
  [ -d "$here/expected" ] || refuse 'not checked on this node'
  leave_others_alone
  fence "$1"
  forget_other_boots
  # What a run that died left is a mix, and nothing to go back to.
  mixed=$pending_before
  before=$mixed
  seen=
  if [ -z "$before" ]; then
    before=$state/snap/$run
    save "$before" > "$work/log" 2>&1 || {
      rm -rf "$before"
      refuse "what is there cannot be saved: $(tail -n 3 "$work/log" | tr '\n' ' ')"
    }
    # eucanetd may be at work until it is retired.
    [ "$verb" = adopt ] || seen=$before
  fi
  put "$state/epoch" "$1 $run" && arm "$2" "$3" || {
    [ "$pending_run" != "$run" ] || go_back 'nobody watches the window'
    refuse "$state cannot be written: is the disk full?"
  }
  journal begins
  want=$here
  blocked=$here/blocked
  [ "$verb" = adopt ] || foresee "$seen" || go_back 'what there is to do cannot be told'
  await_go || {
    [ -z "$mixed" ] || take_back 'told not to begin, or nothing, after a commit that was cut off'
    journal 'was told not to begin, or nothing'
    close_window
    refuse 'told not to begin, or nothing'
  }
  announces=yes
  if { [ "$verb" != adopt ] || retire; } && make "$here"; then
    if open_window "$2"; then reply state committed; exit 0; fi
    complain 'that it is committed cannot be written down: is the disk full?'
  fi
  go_back 'the commit failed'
}

# The nodes of a batch begin together. When the connection ends first, nothing has begun; when neither comes, the watch
# ends this script.
await_go() {
  reply ready "$(date +%s.%N)"
  read -r word <&4 && [ "$word" = go ] && exec 4<&- || return 1
  echo > "$watching.begun" || true
}

# The last confirmed bundle; where that cannot be made, what was there before.
go_back() { # why
  foreseen=
  announces=
  before=$pending_before
  journal "goes back: $1"
  for folder in "$state/current" "$before"; do
    [ -d "$folder/expected" ] && make "$folder" || continue
    [ -z "$pending_adopting" ] || revive
    journal "went back to $(basename "$(readlink -f "$folder")"): $1"
    close_window
    reply state rolled-back
    exit 21
  done
  journal "unknown: neither the old nor the new state is proven; what was there before is kept in $before"
  complain "what was there before could not be made again: it is kept in $before"
  reply state unknown
  exit 22
}

# When the node was started, nothing of ours is in its kernel, and nothing is sure of what the node has by now: it is
# checked and rehearsed as if the bundle had just come. Without a proof that all of it stands, what the node controller looks
# for before it takes instances goes, and the bundle remains what it is: the next push makes it good.
boot() {
  forget_other_boots
  (check && make "$here") > "$work/said" 3>&1
  status=$?
  cat "$work/said" >&3
  case $status in
    0) journal 'made anew at boot'; serves "$(cat "$state/version" 2> /dev/null)"; return ;;
    23) exit 23 ;;
  esac
  journal "could not be made at boot: $(sed -n 's/^error //p' "$work/said" | tr '\n' ';')"
  for name in $artifacts; do [ "$name" = persistence ] || perform "$name" leave; done
  exit 22
}

# ---- the window ----
# Between commit and confirm a process of its own watches, outside of the login that began it. All it needs is on this
# node's disk; it counts in the node's uptime. Whatever of commit, confirm and going back dies at whatever point, it makes
# the last confirmed bundle again when the window is over, unless by then the new one is that.

longest_commit=120
# For the last node of a batch to become ready. Nobody else can be served meanwhile.
longest_wait=300

# Another run that may still be confirmed.
leave_others_alone() {
  [ "$pending_state" = awaiting ] && [ "$pending_boot" = "$boot_id" ] || return 0
  read_clock
  left=$((pending_until - now))
  [ "$left" -gt 0 ] || return 0
  complain "run $pending_run waits $left s more for its confirmation here: edgepush confirm $pending_run, or edgepush abort $pending_run"
  exit 23
}

# Each run has to know of the one before it.
fence() { # epoch
  [ -e "$state/epoch" ] || return 0
  read -r highest holder < "$state/epoch"
  [ "$1" -gt "$highest" ] && return
  [ "$1" -eq "$highest" ] && [ "$run" = "$holder" ] && return
  complain "run $holder was here since this run asked the node: ask again, with what the cloud says now"
  exit 23
}

forget_other_boots() {
  [ -e "$state/pending" ] && [ "$pending_boot" != "$boot_id" ] || return 0
  mine=$run
  run=$pending_run
  journal 'cut off: the node was started anew'
  run=$mine
  close_window
}

arm() { # window version
  window=$1
  version=$2
  watching=$work/watching
  write_pending committing $((longest_wait + longest_commit + window)) || return 1
  if ! watch_as_unit; then setsid sh "$script" expire "$run" "$watching" < /dev/null > /dev/null 2>&1 3>&- 4<&- 9>&- & fi
  waited=0
  until [ -e "$watching" ]; do
    [ "$waited" -lt 500 ] || return 1
    waited=$((waited + 1))
    sleep 0.01
  done
}

# Where systemd ends the processes of a login with it, it does not end another unit.
watch_as_unit() {
  [ -d /run/systemd/system ] &&
    systemd-run --quiet --unit="edgepush-window-$run" sh "$script" expire "$run" "$watching" > "$work/log" 2>&1
}

write_pending() { # state seconds
  read_clock
  adopts=
  [ "$verb" != adopt ] || adopts=yes
  put "$state/pending" "run $run
bundle $digest
boot $boot_id
state $1
until $((now + $2))
window $window
before $before
version $version
adopting $adopts"
  written=$?
  recall
  return $written
}

open_window() { # seconds
  write_pending awaiting "$1" && journal "committed, to be confirmed within $1 s"
}

close_window() {
  before=$pending_before
  rm -f "$state/pending" && sync "$state"
  [ -z "$before" ] || rm -rf "$before"
  recall
}

is_confirmed() { [ "$pending_state" = awaiting ] && [ "$(readlink "$state/current")" = "gen/$pending_bundle" ]; }
is_over() { read_clock && [ "$now" -ge "$pending_until" ]; }

# What became of a run that nothing waits for any more: what is current is the truth, the journal tells why.
answer_for_the_past() {
  word=$(last_word)
  case $word in
    '') refuse "nothing is known here of run $run" ;;
    'cut off'*) complain "$word"; reply state unknown; exit 22 ;;
    confirmed*) reply state confirmed; exit 0 ;;
    *) complain "it $word"; reply state rolled-back; exit 21 ;;
  esac
}

# From here on the window of this run is open.
must_wait() {
  forget_other_boots
  [ "$pending_run" = "$run" ] || answer_for_the_past
  is_confirmed && return
  [ "$pending_state" = awaiting ] || take_back 'the commit was cut off'
  ! is_over || take_back 'not confirmed in time'
}

# Whoever asks for something else is told why.
take_back() { # why
  complain "$1"
  go_back "$1"
}

# How many lines came and went, by artifact, and of how many things, which a line names second.
tell_changes() { # what was there before
  awk -v artifacts="$artifacts" -v before="$1/expected/" -v after="$here/expected/" '
    BEGIN {
      n = split(artifacts, name, " ")
      for (i = 1; i <= n; i++) {
        split("", count); split("", seen); added = removed = things = 0
        while ((getline line < (before name[i])) > 0) count[line]--
        while ((getline line < (after name[i])) > 0) count[line]++
        for (line in count) {
          if (count[line] == 0 || line ~ /^[*:#]|^COMMIT$/) continue
          if (count[line] > 0) added += count[line]; else removed -= count[line]
          split(line, word, " "); if (!seen[word[2]]++) things++
        }
        if (added + removed) print "changed", name[i], added, removed, things
      }
    }' >&3
}

confirm() {
  must_wait
  find_differing
  [ -z "$wrong" ] || take_back "it was changed before it was confirmed: $wrong"
  version=$pending_version
  before=$pending_before
  tell_changes "$before"
  # What was here before the first bundle of all: generation 0.
  [ -e "$state/generation-0" ] || [ -L "$state/current" ] || cp -R "$before" "$state/generation-0"
  ln -sfn "gen/$digest" "$state/current.new" && mv -fT "$state/current.new" "$state/current" ||
    take_back 'that it is confirmed cannot be written down: is the disk full?'
  # Whatever fails from here on: the link decides.
  sync "$state" || note "that it is confirmed may not survive a power cut: $state cannot be synced"
  journal confirmed
  close_window
  turn_the_page
  ls -1t "$state/gen" | awk -v current="$digest" '$0 != current && ++n > 4' | while read -r old; do rm -rf "$state/gen/$old"; done
  serves "$version"
  reply state confirmed
}

abort() { # why
  case $([ "$pending_run" = "$run" ] || last_word) in confirmed*) refuse 'it is confirmed already' ;; esac
  must_wait
  go_back "$1"
}

extend() { # seconds
  must_wait
  read_clock
  extended=$(sed "s/^until .*/until $((now + $1))/" "$state/pending") && put "$state/pending" "$extended" ||
    refuse 'that cannot be written down: is the disk full?'
  journal "extended by $1 s from now"
  reply state extended
}

# A commit that waits for the word may wait long; once it has begun it may not.
hangs() { # file that says that the watch has begun
  read_clock
  [ -n "$begun" ] || [ ! -e "$1.begun" ] || begun=$now
  [ -n "$begun" ] && [ "$pending_state" = committing ] && [ "$now" -ge $((begun + longest_commit + pending_window)) ]
}

expire() { # file that says that the watch has begun
  : > "$1"
  begun=
  while recall && [ "$pending_run" = "$run" ] && ! is_over && ! hangs "$1"; do sleep 1; done
  # A commit that has the lock by now hangs.
  (lock 10) || end_holders
  lock
  [ "$pending_run" = "$run" ] || exit 0
  is_over || hangs "$1" || exec sh "$script" expire "$run" "$work/watching" 9<&-
  if is_confirmed; then close_window; exit 0; fi
  for _ in $(seq 10); do
    (go_back 'not confirmed in time')
    [ $? = 22 ] || exit 0
    sleep 3
  done
}

end_holders() {
  for holder in /proc/[0-9]*/fd/9; do
    [ "$(readlink "$holder")" = "$state/lock" ] || continue
    holder=${holder#/proc/}
    [ "${holder%%/*}" = $$ ] || kill -9 "${holder%%/*}"
  done
}

# A check of the playbook. It holds no lock: the watch must be able to act.
verify() { # check seconds
  (lock && must_wait) || exit
  timeout -k 2 "$2" sh "$script" try "$1" "$2" >&3
  status=$?
  [ $status -le 124 ] || complain "no answer within $2 s"
  [ $status = 0 ] || exit 20
  reply state verified
}

try() { # check seconds
  asked=
  seconds=$2
  trap 'complain "no answer${asked:+ from $asked} within $seconds s"; exit 1' TERM
  "try_$1"
}

# ---- whose node it is ----

# Tools of the cloud read there which view a node serves.
version_file=$eucalyptus/var/run/eucalyptus/global_network_info.version
# Puts what a file says in its only line into $said.
read_line() { # file
  said=
  [ ! -e "$1" ] || read -r said < "$1"
}

# Where it is written is gone when the node is started anew.
serves() { # version
  [ -n "$1" ] || return 0
  read_line "$state/version"
  # No word is better than an old one.
  [ "$said" = "$1" ] || put "$state/version" "$1" || { rm -f "$state/version" "$state/version.new"; note "$state/version cannot be written"; }
  read_line "$version_file"
  [ "$said" = "$1" ] ||
    (umask 022; printf '%s' "$1" > "$version_file.new" && mv -f "$version_file.new" "$version_file") || note "$version_file cannot be written"
}

eucanetd_runs() { grep -qsx eucanetd /proc/[0-9]*/comm; }
eucanetd_pids() { grep -lx eucanetd /proc/[0-9]*/comm 2> /dev/null | tr -dc '0-9\n'; }
eucanetd_unit() { [ -d /run/systemd/system ] && systemctl cat eucanetd.service > /dev/null 2>&1; }

retire() {
  if eucanetd_unit; then systemctl disable --now eucanetd.service > "$work/log" 2>&1; fi
  for pid in $(eucanetd_pids); do kill "$pid"; done
  for _ in $(seq 30); do
    eucanetd_runs || {
      # Its copy of the view would never change again; tools that look for it first then read the node controller's own.
      rm -f "${version_file%/*}/eucanetd_global_network_info.xml"
      journal eucanetd retired
      return 0
    }
    sleep 0.1
  done
  complain 'eucanetd does not end'
  return 1
}

revive() {
  if eucanetd_unit; then systemctl enable --now eucanetd.service > /dev/null 2>&1 && journal eucanetd revived && return; fi
  note 'eucanetd is not running and has no unit here that could be started'
}

release() {
  leave_others_alone
  for name in $swept; do perform "$name" leave || exit 22; done
  rm -f "$state/current"
  revive
  journal released
  reply state released
}

forget() {
  leave_others_alone
  rm -f "$version_file"
  rm -rf "$state"
  reply state forgotten
}

# ---- what the kernel holds ----

held() {
  read_line "$version_file"
  reply view "$said"
  find_differing
  [ -n "$wrong" ] || { reply held yes; return; }
  reply held no
  reply differs $wrong
}

show() { for name in $artifacts; do printf '# %s\n' "$name"; "${name}_show" || echo '# cannot be read'; done; }

# What the kernel holds of ours, and with + and - what the bundle asks for instead: both in order, without which a real
# difference would be lost among those that mean nothing.
difference() {
  for name in $artifacts; do
    # What cannot be read is not missing.
    there=$("${name}_show" 2> /dev/null) || refuse "$name cannot be read"
    "${name}_alike" < "$want/expected/$name" | {
      { [ -z "$there" ] || printf '%s\n' "$there"; } |
        "${name}_alike" | diff -U 1 - /dev/fd/4 | sed "1,2d;s/^/difference $name /" >&3
    } 4<&0
  done
  reply state compared
}

case $verb in
  check) lock && check "${2-}" ;;
  rehearse) rehearse "$2" ;;
  commit | adopt) run=$2 && lock && commit "$3" "$4" "${5-}" ;;
  verify) run=$2 && verify "$3" "$4" ;;
  try) try "$2" "$3" ;;
  confirm) run=$2 && lock && confirm ;;
  abort) run=$2 && lock && abort "$3" ;;
  extend) run=$2 && lock && extend "$3" ;;
  expire) run=$2 && expire "$3" ;;
  boot) lock && boot ;;
  serves) lock && serves "$2" ;;
  release) lock && release ;;
  forget) lock && forget ;;
  difference) difference ;;
  held) held ;;
  show) show ;;
  *) sed -n '2,/^set /{/^#/p}' "$script" >&2; exit 64 ;;
esac
