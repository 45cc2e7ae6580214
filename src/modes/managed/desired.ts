import { formatCidr, formatRange } from '../../view/ipv4.ts'
import type { View } from '../../view/view.ts'
import type { Facts, Node } from '../mode.ts'
import { controllerDesired, type Layout } from './controller.ts'
import { nodeDesired } from './node-controller.ts'

export function desiredWith(layout: Layout): (view: View, node: Node, facts: Facts) => object {
  return (view, node, facts) => {
    return node.role === 'cc' ? controllerDesired(view, node, facts, layout) : nodeDesired(view, node, layout)
  }
}

export const desired = desiredWith({ vlans: true })

/** A host that is flushed still has to know which addresses were the cloud's. */
export function remainsWith({ vlans }: Layout): (view: View | undefined, node: Node) => object {
  return (view, { address, options }) => ({
    node: address,
    pool: view?.publicPool.map(formatRange) ?? [],
    claimed: view?.managedSubnet && !vlans ? [formatCidr(view.managedSubnet.network)] : [],
    publicDevice: options.VNET_PUBINTERFACE ?? '',
    privateDevice: options.VNET_PRIVINTERFACE ?? '',
  })
}

export const remains = remainsWith({ vlans: true })
