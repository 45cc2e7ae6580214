// A cloud of 50 nodes, of which the lab has the first: 5,000 instances, 100 of them there, 1,000 groups of 10 rules.

import { addressAfter, type LabPlan, planLab } from '../lab/plan-lab.ts'
import { addressBook, renderView } from '../lab/render-view.ts'
import type { Rule, World } from '../lab/world.ts'

export const SIZE = { nodes: 50, instances: 5_000, local: 100, groups: 1_000, rules: 10, elastic: 20 } as const

/** The lab's own plan for its one node is the first of these. */
export const PLAN: LabPlan = widen(planLab({ nodes: SIZE.nodes }))

export const CLOUD: World = {
  instances: Object.fromEntries(Array.from({ length: SIZE.instances }, (_, index) => instanceAt(index))),
  groups: Object.fromEntries(Array.from({ length: SIZE.groups }, (_, index) => [groupId(index), rulesOf(index)])),
}

const place = addressBook(PLAN)

export function viewOf(world: World): string {
  return renderView(PLAN, world, place(world))
}

interface Change {
  readonly name: string
  readonly apply: (world: World) => World
}

/** What happens to a cloud, one after the other; none of it on more than one node but for the members of a set. */
export const CHANGES: readonly Change[] = [
  { name: 'nothing changed', apply: (world) => world },
  { name: 'remote instance joins a group', apply: join },
  { name: 'a group has another rule', apply: changeRule },
  { name: 'one local instance more', apply: (world) => add(world, SIZE.instances) },
]

function join({ instances, groups }: World): World {
  const [id, instance] = instanceAt(SIZE.instances - 1)
  const joined = { ...instance, groups: [...instance.groups, groupId(0)] }
  return { groups, instances: { ...instances, [id]: joined } }
}

function changeRule({ instances, groups }: World): World {
  return { instances, groups: { ...groups, [groupId(1)]: [...rulesOf(1).slice(1), 'tcp 2222 from 203.0.113.0/24'] } }
}

function add({ instances, groups }: World, index: number): World {
  const [id, instance] = instanceAt(index)
  return { groups, instances: { ...instances, [id]: { ...instance, node: 'nc-01' } } }
}

function instanceAt(index: number): readonly [string, World['instances'][string]] {
  const node = index < SIZE.local ? 1 : 2 + (index % (SIZE.nodes - 1))
  const second = index % 4 === 0 ? [groupId((index * 7 + 3) % SIZE.groups)] : []
  const elastic = index < SIZE.elastic ? { public: addressAfter(PLAN.publicPool.first, index) } : {}
  const instance = {
    node: `nc-${String(node).padStart(2, '0')}`,
    groups: [...new Set([groupId(index % SIZE.groups), ...second])],
    address: addressAfter(PLAN.clusters[0]?.firstInstance ?? '', index),
    ...elastic,
  }
  return [`i-${hex(0x10000000 + index)}`, instance]
}

function groupId(index: number): string {
  return `sg-${hex(0x20000000 + (index % SIZE.groups))}`
}

/** Of 10 rules 8 are for addresses and 2 for other groups, whose members every node has to know. */
function rulesOf(group: number): readonly Rule[] {
  return [
    `tcp 22 from 10.${group % 200}.0.0/16`,
    'tcp 80 from anywhere',
    'tcp 443 from anywhere',
    'tcp 8000-8010 from 10.0.0.0/8',
    `tcp ${9000 + group} from 198.51.100.0/24`,
    `udp 53 from 192.168.${group % 250}.0/24`,
    'udp 123 from 172.16.0.0/12',
    'icmp 8/0 from anywhere',
    `tcp 5432 from ${groupId(group + 1)}`,
    `tcp 3306 from ${groupId(group + 500)}`,
  ]
}

/** The lab's clusters have room for a thousand instances. */
function widen(plan: LabPlan): LabPlan {
  const clusters = plan.clusters.map((cluster) => ({
    ...cluster,
    lastInstance: addressAfter(cluster.firstInstance, 2 * SIZE.instances),
  }))
  return { ...plan, clusters }
}

function hex(number: number): string {
  return number.toString(16).padStart(8, '0')
}
