import { Unfit } from '../../error.ts'
import { contains, type Ipv4, parseIpv4 } from '../../view/ipv4.ts'
import type { Subnet } from '../../view/view.ts'
import type { Interface, Node } from '../mode.ts'

/** The router that instances are told of. */
export interface Gateway {
  readonly address: Ipv4
  /** The address is nobody's: the node answers for it with its bridge's MAC. */
  readonly fake: boolean
}

export function gatewayOf(node: Node, subnet: Subnet, bridge: Interface): Gateway {
  const { NC_ROUTER, NC_ROUTER_IP = '' } = node.options
  if (NC_ROUTER !== 'Y') return { address: subnet.gateway, fake: false }
  if (NC_ROUTER_IP === '') return { address: subnet.gateway, fake: true }
  return { address: parseIpv4(NC_ROUTER_IP) ?? bridgeAddress(node, subnet, bridge), fake: false }
}

/** NC_ROUTER_IP=AUTO: the first address of the bridge that has the cluster's netmask and lies in its subnet. */
function bridgeAddress(node: Node, { network }: Subnet, bridge: Interface): Ipv4 {
  for (const text of bridge.addresses) {
    const [addressText = '', prefix] = text.split('/')
    const address = parseIpv4(addressText)
    if (address && Number(prefix) === network.prefix && contains(network, address)) return address
  }
  const has = bridge.addresses.join(', ') || 'no address'
  throw new Unfit(
    `NC_ROUTER_IP is AUTO, but ${node.options.VNET_BRIDGE} has no address of ${network.address}/${network.prefix} (it has ${has})`,
  )
}
