/**
 * Addresses of the cloud on the node's interfaces, each a /32: public ones, and one of the link (`scope link`).
 *
 * Invariants: only /32 addresses are ever touched, and only those of the published pool or named by a bundle of ours. One
 * of the pool with another prefix may be the node's own, with its route: the operator is told of it.
 * A revoked address goes before its translation does and a new one comes after it: in between the node itself would
 * answer on the address. Connections of a revoked address are cut last, when nothing can make them anew.
 */

import { type Artifact, sh } from './artifact.ts'
import { ARRANGE } from './in-order.ts'

/** Reads the `pool ...` and `address ...` lines of a file of ours; says whether an address is in a pool. */
const POOL = sh`
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
  }`

/** Prints every /32 of the kernel that may be ours, in the form of our file and in order. */
const LIVE = sh`${POOL}${ARRANGE}
  BEGIN { n = split(folders, folder, " "); for (i = 1; i <= n; i++) read_file(folder[i] "/addresses") }
  { device = $2; sub(/@.*/, "", device) }
  $4 ~ /\/32$/ && (($4 " " device) in named || in_pool(device, number(substr($4, 1, length($4) - 3)))) {
    line = "address " $4 " dev " device ($0 ~ / scope link / ? " scope link" : "")
    if (!there[line]++) lines[++found] = line
  }
  END { arrange(lines, found); for (i = 1; i <= found; i++) print lines[i] }`

/** Prints address and interface of what is in the pool but cannot be ours. */
const STRAY = sh`${POOL}
  BEGIN { read_file(file) }
  {
    device = $2; sub(/@.*/, "", device); address = $4; sub(/\/.*/, "", address)
    if ($4 !~ /\/32$/ && in_pool(device, number(address))) print $4, device
  }`

/** Reads what is there; tells what is not wanted any more, and what is new. */
const CHANGES = sh`
  BEGIN {
    printf "" > revoked; printf "" > new
    while ((getline < file) > 0) if ($1 == "address") { lines[++n] = $0; wanted[$0] = 1 }
  }
  $0 in wanted { there[$0] = 1; next }
  { print > revoked }
  END { for (i = 1; i <= n; i++) if (!(lines[i] in there)) print lines[i] > new }`

/** The devices that our file names. */
const DEVICES = sh`$(awk '/^[pa]/ && $3 == "dev" && !told[$4]++ { print $4 }' "$want/addresses" 2> /dev/null)`

export const addresses: Artifact = {
  name: 'addresses',
  file: 'addresses',
  needs: ['ip', 'arping', 'conntrack'],
  functions: sh`
# Neighbours keep an address for minutes; a lost announcement would be lost traffic, so it is said three times. A shell of
# its own, because a subshell would keep this one's descriptors, and with them the login that waits for our end.
addresses_announce() { # address device
  sh -c '
    for _ in 1 2 3; do
      if arping -V 2>&1 | grep -q iputils; then arping -q -c 1 -w 1 -U -I "$2" "$1"
      else arping -q -c 1 -w 1 -P -U -i "$2" -S "$1" "$1"; fi
    done' announce "$1" "$2" < /dev/null > /dev/null 2>&1 3>&- 9>&- &
}`,
  leave: '',
  check: sh`
for device in ${DEVICES}; do
  flags=
  read -r flags 2> /dev/null < "/sys/class/net/$device/flags"
  [ -n "$flags" ] || { complain "there is no interface $device"; return 1; }
  [ $((flags & 1)) = 1 ] || note "the interface $device is down: nobody reaches the elastic addresses on it"
done
ip -4 -o address show > "$work/addresses.live" || return 1
awk -v file="$want/addresses" '${STRAY}' "$work/addresses.live" > "$work/addresses.stray"
while read -r address device; do
  note "$address on $device is in the pool of elastic addresses but is not a /32, so it may be the node's own: it stays; if it is a leftover, remove it: ip addr del $address dev $device"
done < "$work/addresses.stray"`,
  world: sh`
for device in ${DEVICES}; do stand_in "$device" || return 1; done`,
  steps: {
    prepare: sh`
addresses_show > "$work/addresses.live" || return 1
awk -v file="$want/addresses" -v revoked="$work/addresses.revoked" -v new="$work/addresses.new" '${CHANGES}' "$work/addresses.live"`,
    tighten: sh`
[ ! -s "$work/addresses.revoked" ] || sed 's/^address/addr del/' "$work/addresses.revoked" | ip -batch -`,
    loosen: sh`
[ ! -s "$work/addresses.new" ] || sed 's/^address/addr replace/' "$work/addresses.new" | ip -batch -`,
    sweep: sh`
[ -z "$rehearsing" ] || return 0
while IFS=' /' read -r _ address _; do
  conntrack -D --orig-dst "$address" > /dev/null 2>&1
  conntrack -D --reply-dst "$address" > /dev/null 2>&1
done < "$work/addresses.revoked"
# One of the link is the same on every host, and nobody else's business.
while IFS=' /' read -r _ address _ _ device link_only; do
  [ -n "$link_only" ] || addresses_announce "$address" "$device"
done < "$work/addresses.new"
:`,
  },
  show: sh`
live=$(ip -4 -o address show) || return 1
printf '%s\n' "$live" | awk -v folders="$scope $want" '${LIVE}'`,
}
