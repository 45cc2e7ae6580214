import { sh } from '../../artifacts/artifact.ts'
import { bridge } from '../../artifacts/bridge.ts'
import { dhcpd } from '../../artifacts/dhcpd.ts'
import type { View } from '../../view/view.ts'
import { BRIDGE_SYMPTOMS } from '../bridge-symptoms.ts'
import type { Mode } from '../mode.ts'
import { CHECKS } from './checks.ts'
import { desired, remains } from './desired.ts'
import { CONTROLLER_OPTIONS, NODE_OPTIONS } from './options.ts'

const SERVER = dhcpd({ daemon: '$VNET_DHCPDAEMON', device: '$VNET_PRIVINTERFACE', unit: '' })

/** The server ends at once on an interface that is not of the network. */
const CHECK = sh`${SERVER.check}
[ -f "$want/dhcpd.conf" ] || return 0
network=$(tr -d ';' < "$want/dhcpd.conf" | awk '$1 == "subnet" { print $2 "/" $4; exit }')
[ -n "$(ip -4 -o address show dev "$VNET_PRIVINTERFACE" to "$network")" ] ||
  { complain "$VNET_PRIVINTERFACE (VNET_PRIVINTERFACE) has no address of $network: no DHCP server could answer there"; return 1; }`

export const staticMode: Mode = {
  name: 'STATIC',
  conf: {
    keys: ['VNET_SUBNET', 'VNET_NETMASK', 'VNET_BROADCAST', 'VNET_ROUTER', 'VNET_DNS', 'VNET_MACMAP'],
    network: 'map',
  },
  duties: {
    cc: {
      asksFacts: false,
      options: CONTROLLER_OPTIONS,
      artifacts: [{ ...SERVER, check: CHECK }],
      checks: CHECKS,
    },
    nc: { asksFacts: false, options: NODE_OPTIONS, artifacts: [bridge], checks: [], symptoms: BRIDGE_SYMPTOMS },
  },
  unfit,
  desired,
  remains,
}

function unfit(view: View): readonly string[] {
  return view.clusters.filter(({ subnet }) => !subnet).map(({ name }) => `cluster ${name} has no subnet`)
}
