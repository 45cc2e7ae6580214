/**
 * Public addresses on the node's public interface, each a /32.
 *
 * Invariants: only /32 addresses are ever touched, and only those of the published pool or named by a bundle of ours. One
 * of the pool with another prefix may be the node's own, with its route: the operator is told of it.
 * A revoked address goes before its translation does and a new one comes after it: in between the node itself would
 * answer on the address. Connections of a revoked address are cut last, when nothing can make them anew.
 */

import { type Artifact, sh } from './artifact.ts'

/** Reads the `pool ...` lines of our file. */
const POOL = sh`
  function number(address,  part) { split(address, part, "."); return ((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4] }
  function in_pool(device, value,  i) {
    for (i = 1; i <= pools; i++) if (on[i] == device && first[i] <= value && value <= last[i]) return 1
    return 0
  }
  $1 == "pool" { n = split($2, end, "-"); on[++pools] = $4; first[pools] = number(end[1]); last[pools] = number(end[n]) }`

/** Prints every /32 of the kernel that may be ours, in the form of our file. */
const LIVE = sh`${POOL}
  $1 == "address" { named[$2 " " $4] = 1 }
  $1 == "have" {
    device = $3; sub(/@.*/, "", device)
    if ($5 !~ /\/32$/) next
    if (($5 " " device) in named || in_pool(device, number(substr($5, 1, length($5) - 3)))) print "address " $5 " dev " device
  }`

/** Prints address and interface of what is in the pool but cannot be ours. */
const STRAY = sh`${POOL}
  $1 == "have" {
    device = $3; sub(/@.*/, "", device); address = $5; sub(/\/.*/, "", address)
    if ($5 !~ /\/32$/ && in_pool(device, number(address))) print $5, device
  }`

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
for device in $(sed -n 's/^[pa].* dev //p' "$want/addresses" 2> /dev/null | sort -u); do
  ip link show dev "$device" > /dev/null 2>&1 || { complain "there is no interface $device"; return 1; }
  [ -n "$(ip link show dev "$device" up)" ] || note "the interface $device is down: nobody reaches the elastic addresses on it"
done
live=$(ip -4 -o address show) || return 1
{ cat "$want/addresses" 2> /dev/null; printf '%s\n' "$live" | sed 's/^/have /'; } | awk '${STRAY}' > "$work/addresses.stray"
while read -r address device; do
  note "$address on $device is in the pool of elastic addresses but is not a /32, so it may be the node's own: it stays; if it is a leftover, remove it: ip addr del $address dev $device"
done < "$work/addresses.stray"`,
  world: sh`
for device in $(sed -n 's/^[pa].* dev //p' "$want/addresses" 2> /dev/null | sort -u); do
  ip link show dev "$device" > /dev/null 2>&1 || ip link add "$device" type bridge || return 1
  ip link set "$device" up || return 1
done`,
  steps: {
    tighten: sh`
addresses_show | sort > "$work/addresses.live"
sed -n '/^address /p' "$want/addresses" 2> /dev/null | sort > "$work/addresses.wanted"
comm -13 "$work/addresses.wanted" "$work/addresses.live" > "$work/addresses.revoked"
comm -23 "$work/addresses.wanted" "$work/addresses.live" > "$work/addresses.new"
sed 's/^address/addr del/' "$work/addresses.revoked" | ip -batch -`,
    loosen: sh`
sed 's/^address/addr replace/' "$work/addresses.new" | ip -batch -`,
    sweep: sh`
[ -z "$rehearsing" ] || return 0
sed 's,/32,,' "$work/addresses.revoked" > "$work/addresses.cut"
while read -r _ address _; do
  conntrack -D --orig-dst "$address" > /dev/null 2>&1
  conntrack -D --reply-dst "$address" > /dev/null 2>&1
done < "$work/addresses.cut"
sed 's,/32,,' "$work/addresses.new" > "$work/addresses.announce"
while read -r _ address _ device; do addresses_announce "$address" "$device"; done < "$work/addresses.announce"
:`,
  },
  show: sh`
live=$(ip -4 -o address show) || return 1
{ for folder in $scope "$want"; do cat "$folder/addresses" 2> /dev/null; done
  printf '%s\n' "$live" | sed 's/^/have /'
} | awk '${LIVE}' | sort -u`,
}
