// A cloud of as many nodes as wanted, far more than a lab has room for. It is always of 5,000 instances in 1,000 groups of 4
// rules, one of which names another group: every node knows the addresses of all instances, so that in a cloud that grows
// with its nodes what is sent to all of them grows with the square, whatever the controller does.

import { addressAfter, type LabPlan, planLab } from '../lab/plan-lab.ts'
import { addressBook, renderView } from '../lab/render-view.ts'
import type { World } from '../lab/world.ts'

const INSTANCES = 5_000
const GROUPS = 1_000

/** Where its double is on this host's loopback. */
export function addressOf(index: number): string {
  return addressAfter('127.1.0.1', index)
}

export function manyPlan(size: number): LabPlan {
  const plan = planLab({ nodes: 1 })
  const [node] = plan.nodes
  const [cluster] = plan.clusters
  if (!node || !cluster) throw new Error('the lab has no plan of one node')
  return {
    ...plan,
    clusters: [
      {
        ...cluster,
        subnet: '10.64.0.0',
        netmask: '255.192.0.0',
        gateway: '10.64.0.1',
        firstInstance: '10.80.0.1',
        lastInstance: '10.90.0.1',
      },
    ],
    nodes: Array.from({ length: size }, (_, index) => ({
      ...node,
      name: nameOf(index),
      address: addressAfter('10.120.0.1', index),
    })),
  }
}

/** Every version has another rule in every group. */
export function manyView(size: number, version: number): string {
  const plan = manyPlan(size)
  const world = worldOf(size, version)
  return renderView(plan, world, addressBook(plan)(world))
}

function worldOf(size: number, version: number): World {
  const group = (index: number) => `sg-${(0x20000000 + (index % GROUPS)).toString(16)}`
  const instances = Array.from({ length: INSTANCES }, (_, index) => {
    const instance = { node: nameOf(index % size), groups: [group(index)], address: addressAfter('10.80.0.1', index) }
    return [`i-${(0x10000000 + index).toString(16)}`, instance] as const
  })
  const rules = (index: number) => [
    'tcp 22 from anywhere',
    'icmp 8/0 from anywhere',
    `tcp ${9_000 + version} from 198.51.100.0/24`,
    `tcp 5432 from ${group(index + 1)}`,
  ]
  return {
    instances: Object.fromEntries(instances),
    groups: Object.fromEntries(Array.from({ length: GROUPS }, (_, index) => [group(index), rules(index)])),
  }
}

function nameOf(index: number): string {
  return `nc-${String(index + 1).padStart(4, '0')}`
}
