/** Views with defects in some of their parts, and what they are without those parts. */

import fc from 'fast-check'
import type { Ipv4 } from '../../src/view/ipv4.ts'
import type { IngressRule, Instance, SecurityGroup, View } from '../../src/view/view.ts'

const KINDS_OF_INSTANCE = [
  'sound',
  'sound',
  'sound',
  'owner',
  'mac',
  'public',
  'private',
  'id',
  'twin',
  'member',
  'stranger',
] as const

interface Plan {
  readonly instances: readonly (typeof KINDS_OF_INSTANCE)[number][]
  readonly groups: readonly boolean[]
  /** Of which group it becomes the first rule. */
  readonly rules: readonly number[]
  readonly ranges: number
}

export function spoils(): fc.Arbitrary<Plan> {
  return fc.record({
    instances: fc.array(fc.constantFrom(...KINDS_OF_INSTANCE), { minLength: 8, maxLength: 8 }),
    groups: fc.array(fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.boolean()), {
      minLength: 9,
      maxLength: 9,
    }),
    rules: fc.array(fc.nat({ max: 8 }), { maxLength: 3 }),
    ranges: fc.nat({ max: 2 }),
  })
}

const NO_RULE: IngressRule = { match: { protocol: 999 }, source: { group: 'sg-00000000' } }
const TWINS = '02:00:00:00:00:99'

interface Spoilt {
  /** With its defects. */
  readonly spoilt: View
  /** What has to be left of it. */
  readonly rest: View
  /** How many parts it is then without. */
  readonly parts: number
}

/** Puts defects into parts of a view. */
export function spoil(view: View, plan: Plan): Spoilt {
  const kindOf = (instance: Instance) => plan.instances[view.instances.indexOf(instance)] ?? 'sound'
  const isGone = (group: SecurityGroup) => plan.groups[view.groups.indexOf(group)] ?? false
  const known = new Set(view.groups.filter((group) => !isGone(group)).map(({ id }) => id))
  const twins = view.instances.filter((instance) => kindOf(instance) === 'twin')
  const out = view.instances.filter((instance) => {
    const kind = kindOf(instance)
    return ['owner', 'mac', 'public', 'private', 'id'].includes(kind) || (kind === 'twin' && twins.length > 1)
  })

  const left = view.instances
    .filter((instance) => !out.includes(instance))
    .map((instance) => (kindOf(instance) === 'twin' ? { ...instance, mac: TWINS } : instance))
  const instances = left.map((instance) => ({ ...instance, groups: instance.groups.filter((id) => known.has(id)) }))
  const ids = new Set(instances.map(({ id }) => id))
  const clusters = view.clusters.map((cluster) => ({
    ...cluster,
    nodes: cluster.nodes.map((node) => ({ ...node, instances: node.instances.filter((id) => ids.has(id)) })),
  }))
  const withheld = out.filter((instance) => kindOf(instance) !== 'private').map(({ privateAddress }) => privateAddress)
  const untraced = out.filter((instance) => kindOf(instance) === 'private').length
  const rest = {
    ...view,
    untraced,
    instances,
    clusters,
    withheld,
    groups: view.groups.filter((group) => !isGone(group)),
  }

  const badRules = (group: SecurityGroup) =>
    plan.rules.filter((index) => view.groups[index] === group).map(() => NO_RULE)
  const spoilt: View = {
    ...view,
    publicPool: [
      ...view.publicPool,
      ...Array.from({ length: plan.ranges }, () => ({ first: text('9.9.9.9'), last: text('x') })),
    ],
    instances: view.instances.map((instance) => spoilInstance(instance, kindOf(instance))),
    groups: view.groups.map((group) => ({
      ...group,
      owner: isGone(group) ? 'nobody known' : group.owner,
      ingress: [...badRules(group), ...group.ingress],
    })),
  }
  const rules = view.groups.reduce((sum, group) => sum + badRules(group).length, 0)
  // Memberships are of instances that are still there.
  const memberships = left.reduce((sum, { groups }) => sum + groups.filter((id) => !known.has(id)).length, 0)
  const kept = view.instances.filter((instance) => !out.includes(instance))
  const strange = kept.filter((instance) => ['member', 'stranger'].includes(kindOf(instance))).length
  const gone = view.groups.filter(isGone).length
  return { spoilt, rest, parts: out.length + rules + memberships + strange + gone + plan.ranges }
}

function spoilInstance(instance: Instance, kind: Plan['instances'][number]): Instance {
  switch (kind) {
    case 'owner':
      return { ...instance, owner: 'nobody known' }
    case 'mac':
      return { ...instance, mac: 'xx' }
    case 'public':
      return { ...instance, publicAddress: text('300.1.1.1') }
    case 'private':
      return { ...instance, privateAddress: text('10.0.0') }
    case 'id':
      return { ...instance, id: 'x-1' }
    case 'twin':
      return { ...instance, mac: TWINS }
    case 'member':
      return { ...instance, groups: [...instance.groups, 'not a group'] }
    case 'stranger':
      return { ...instance, groups: ['sg-ffffffff', ...instance.groups] }
    default:
      return instance
  }
}

/** What need not be an address, where one belongs. */
function text(written: string): Ipv4 {
  return written as Ipv4
}
