/**
 * The bridge that instances are plugged into, where it is the administrator's: verified, and never made, changed or
 * removed. It has no file, and no steps.
 *
 * Invariants: a node whose bridge is not one, is down, or leads nowhere is refused before anything begins; and one whose
 * bridge became that does not hold its bundle any more. Which ports instances have means nothing.
 */

import { type Artifact, sh } from './artifact.ts'

const FUNCTIONS = sh`
# Ports by which others are reached: the names that virtual machines' have are those of libvirt, Xen and Eucalyptus.
bridge_uplinks() { ip -o link show up master "$VNET_BRIDGE" | awk '{ sub(/[@:].*/, "", $2); print $2 }' | grep -Ev '^(vn_|vnet|tap|vif)'; }
# What is wrong with it; nothing where it is as it should be.
bridge_trouble() {
  if ! ip link show dev "$VNET_BRIDGE" > /dev/null 2>&1; then echo "there is no $VNET_BRIDGE (VNET_BRIDGE)"
  elif [ -z "$(ip -o link show type bridge dev "$VNET_BRIDGE" 2> /dev/null)" ]; then echo "$VNET_BRIDGE is no bridge (VNET_BRIDGE)"
  elif [ -z "$(ip -o link show up dev "$VNET_BRIDGE")" ]; then echo "$VNET_BRIDGE is down"
  elif [ -z "$(bridge_uplinks)" ]; then echo "$VNET_BRIDGE has no port that is up and leads out of this node: its instances reach nobody"
  fi
}`

export const bridge: Artifact = {
  name: 'bridge',
  file: 'bridge',
  needs: ['ip'],
  functions: FUNCTIONS,
  check: sh`
trouble=$(bridge_trouble)
[ -z "$trouble" ] || { complain "$trouble"; return 1; }`,
  world: sh`
ip link show dev "$VNET_BRIDGE" > /dev/null 2>&1 || ip link add "$VNET_BRIDGE" type bridge || return 1
ip link add edgepush-out type veth peer name edgepush-in && ip link set edgepush-out master "$VNET_BRIDGE" &&
  ip link set edgepush-in up && ip link set edgepush-out up && ip link set "$VNET_BRIDGE" up`,
  steps: {},
  leave: '',
  show: sh`
trouble=$(bridge_trouble)
[ -n "$trouble" ] || trouble="$VNET_BRIDGE is a bridge, is up, and leads out of this node"
echo "#= $trouble"`,
}
