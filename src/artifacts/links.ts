/**
 * Devices that a mode has hosts make: a bridge for each group, the VLAN device that is its uplink, and gateway addresses.
 *
 * The file, and what is shown, has a line for each:
 *   BRIDGE bridge stp 0 forward_delay 200 hello_time 200 promisc on up
 *   DEVICE vlan parent PARENT id TAG master BRIDGE up
 *   DEVICE ADDRESS/PREFIX broadcast ADDRESS scope global
 *   DEVICE within NETWORK             every address of that network on the device is ours
 *
 * Invariants: ours are the bridges whose names say so (`owned`), the VLAN devices that are their ports or that a bundle of
 * ours names, every address of such a bridge, and those of a network that a bundle of ours claims; nothing else is
 * touched. What is as it should be is left alone, so that no packet of another group is lost. A bridge that is not
 * wanted any more but has a port that is not ours (an instance is still attached) stays as it is, and is told of.
 */

import { type Artifact, sh } from './artifact.ts'

/** Reads `ip -d -o link show`, then `ip -4 -o address show`; prints the lines of what is ours. */
const LIVE = sh`
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
  }`

/** Reads what is there; writes down as batches for ip what is to go, what is to be made or changed, and what is stale. */
const CHANGES = sh`
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
  }`

/** The devices that have to be there before: parents, and those with addresses that are no bridges of the file. */
const TAKEN = sh`$(awk '$2 == "vlan" { print $4 } $2 == "within" { print $1 }' "$want/links" 2> /dev/null | sort -u)`

export function links({ owned }: { readonly owned: string }): Artifact {
  return {
    name: 'links',
    file: 'links',
    needs: ['ip'],
    functions: sh`
links_live() { # folders
  live=$(ip -d -o link show) && addresses=$(ip -4 -o address show) || return 1
  printf '%s\n' "$live" "$addresses" | awk -v folders="$1" -v owned='${owned}' -v blocked="$blocked" '${LIVE}' | sort
}
# Ports that are not ours: whoever put them there still uses the bridge.
links_users() { # bridge
  ip -o link show master "$1" | awk -v live="$work/links.live" '
    BEGIN { while ((getline < live) > 0) if ($2 == "vlan") ours[$1] = 1 }
    { sub(/[@:].*/, "", $2); if (!($2 in ours)) print $2 }'
}`,
    leave: '',
    check: sh`
for device in ${TAKEN}; do
  ip link show dev "$device" > /dev/null 2>&1 || { complain "there is no interface $device"; return 1; }
  [ -n "$(ip link show dev "$device" up)" ] || note "the interface $device is down: nothing of what is made on it is reached"
done
# Somebody else's devices of these names would be taken for ours from then on.
links_live "$state/current" > "$work/links.ours" || return 1
awk '$2 ~ /^(bridge|vlan)$/ { print $1, $2 }' "$want/links" > "$work/links.named" 2> /dev/null
while read -r device kind; do
  ! ip link show dev "$device" > /dev/null 2>&1 || grep -q "^$device $kind " "$work/links.ours" ||
    { complain "there is a device $device that is not ours: the $kind of that name cannot be made; rename or remove it"; return 1; }
done < "$work/links.named"`,
    world: sh`
for device in ${TAKEN}; do stand_in "$device" || return 1; done`,
    steps: {
      prepare: sh`
links_show > "$work/links.live" || return 1
file=$want/links
[ -e "$file" ] || file=/dev/null
awk -v file="$file" -v gone="$work/links.gone" -v made="$work/links.made" -v stale="$work/links.stale" '${CHANGES}' "$work/links.live"`,
      // An address may have moved to another device, and a tag to another group: what is to go goes first.
      loosen: sh`
[ ! -s "$work/links.gone" ] || ip -batch "$work/links.gone" || return 1
[ ! -s "$work/links.made" ] || ip -batch "$work/links.made"`,
      sweep: sh`
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
done < "$work/links.unused"`,
    },
    show: sh`links_live "$scope $want"`,
  }
}
