// A cloud by chance: who runs where, in which groups, and what these let in. The same seed gives the same cloud.

import fc from 'fast-check'
import { addressAfter, type LabPlan } from '../../lab/plan-lab.ts'
import type { Rule, World } from '../../lab/world.ts'

const instances = 8
const groupIds = ['sg-aaaaaaaa', 'sg-bbbbbbbb', 'sg-cccccccc', 'sg-dddddddd']

export function anyWorld(plan: LabPlan, seed: number): World {
  const [world] = fc.sample(worlds(plan), { seed, numRuns: 1 })
  if (!world) throw new Error('no world')
  return world
}

function worlds(plan: LabPlan): fc.Arbitrary<World> {
  const instance = fc.record({
    node: fc.constantFrom(...plan.nodes.map(({ name }) => name)),
    groups: fc.subarray(groupIds, { minLength: 1, maxLength: 2 }),
    elastic: fc.boolean(),
  })
  const rules = fc.array(ruleFrom(whoms(plan)), { minLength: 1, maxLength: 3, size: 'max' })
  return fc
    .record({
      running: fc.array(instance, { minLength: instances, maxLength: instances }),
      rules: fc.tuple(...groupIds.map(() => rules)),
    })
    .map(({ running, rules }) => ({
      instances: Object.fromEntries(
        running.map(({ node, groups, elastic }, index) => {
          return [`i-0000000${index + 1}`, { node, groups, ...(elastic ? { public: true as const } : {}) }]
        }),
      ),
      groups: Object.fromEntries(groupIds.map((id, index) => [id, rules[index] ?? []])),
    }))
}

/** Groups, and networks that hold all, some or one of those who ask, by their private or by their elastic addresses. */
function whoms({ clusters, publicPool, outside, clc }: LabPlan): readonly string[] {
  const privates = clusters.flatMap(({ subnet, firstInstance }) => [
    `${subnet}/16`,
    `${firstInstance}/31`,
    addressAfter(firstInstance, 1),
  ])
  const elastic = [`${publicPool.first}/30`, '10.111.200.0/24', addressAfter(publicPool.first, 1)]
  return ['anywhere', ...groupIds, ...privates, ...elastic, '192.0.2.0/24', outside.address, clc.address]
}

function ruleFrom(whoms: readonly string[]): fc.Arbitrary<Rule> {
  const ranges = fc
    .tuple(fc.constantFrom('tcp', 'udp'), fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 0, max: 99 }))
    .map(([protocol, first, more]) => `${protocol} ${first}-${Math.min(first + more, 65_535)}`)
  const whole = fc.constantFrom('tcp', 'udp', 'icmp', 'icmp 8', 'icmp 8/0', 'icmp 8/1', 'icmp 3/4', '47')
  return fc
    .tuple(fc.oneof({ arbitrary: ranges, weight: 3 }, whole), fc.constantFrom(...whoms))
    .map(([what, whom]) => `${what} from ${whom}`)
}
