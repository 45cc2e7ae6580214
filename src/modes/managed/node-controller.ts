/** What a node controller holds: the bridges that its instances are attached to, and no rules. */

import { Unfit } from '../../error.ts'
import type { Instance, View, ViewNode } from '../../view/view.ts'
import type { Node } from '../mode.ts'
import { managedSubnet } from './controller.ts'
import { type Bridge, bridgeOf } from './links.ts'
import { groupsOf, instancesOf, segmentedGroups } from './members.ts'

export interface NodeDesired {
  readonly node: string
  readonly hardened: boolean
  readonly claimed: readonly string[]
  readonly bridges: readonly Bridge[]
  readonly gateways: readonly never[]
  readonly privateDevice: string
  readonly ports: readonly Port[]
}

/** Of an instance, under the name that the node controller gives it. */
interface Port {
  readonly device: string
  readonly mac: string
  readonly address: string
}

export function nodeDesired(view: View, node: Node, { vlans }: { readonly vlans: boolean }): NodeDesired {
  const privateDevice = node.options.VNET_PRIVINTERFACE ?? ''
  const instances = instancesOf(view, { nodes: [viewNode(view, node)] })
  const groups = groupsOf(segmentedGroups(view, managedSubnet(view)), instances)
  return {
    node: node.address,
    hardened: node.profile === 'hardened',
    claimed: [],
    bridges: vlans ? groups.map((group) => bridgeOf(group, privateDevice)) : [],
    gateways: [],
    privateDevice,
    ports: instances.flatMap(portOf),
  }
}

function viewNode({ clusters }: View, { address }: Node): ViewNode {
  const found = clusters.flatMap(({ nodes }) => nodes).find(({ name }) => name === address)
  if (!found) throw new Unfit(`the view has no node ${address}`)
  return found
}

/** Without a MAC nobody can say what comes from it: its port has no rules, and the last one drops everything. */
function portOf({ id, mac, privateAddress }: Instance): readonly Port[] {
  return mac ? [{ device: `vn_${id.slice(0, 'i-'.length + 8)}`, mac, address: privateAddress }] : []
}
