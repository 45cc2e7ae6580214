/** What a node of any EDGE cloud can be asked to hold. */

import fc from 'fast-check'
import type { Task } from '../../src/bundle/compile.ts'
import { packageTemplates } from '../../src/config/templates.ts'
import { edge } from '../../src/modes/edge/index.ts'
import { dutyOf, type Facts, type Options } from '../../src/modes/mode.ts'
import { resolveOptions } from '../../src/modes/settings.ts'
import type { View } from '../../src/view/view.ts'
import { anyView } from '../view/any-view.ts'

const templates = packageTemplates()

const yesOrNo = fc.constantFrom('Y', 'N')

const options: fc.Arbitrary<Options> = fc
  .record({
    VNET_BRIDGE: fc.constant('br0'),
    VNET_PUBINTERFACE: fc.constantFrom('br0', 'em1'),
    EUCALYPTUS: fc.constantFrom('/', '/opt/eucalyptus/'),
    NC_ROUTER: yesOrNo,
    NC_ROUTER_IP: fc.constantFrom('', 'AUTO', '10.0.0.9'),
    NC_PROXY: yesOrNo,
    DISABLE_L2_ISOLATION: yesOrNo,
    METADATA_USE_VM_PRIVATE: yesOrNo,
    METADATA_IP: fc.constantFrom('', '10.9.9.9'),
  })
  .map((values) => {
    const inventory = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, { value, where: 'here' }]),
    )
    const resolved = resolveOptions(dutyOf(edge, 'nc').options, inventory, {})
    if (resolved.defects.length > 0) throw new Error(resolved.defects.join('\n'))
    return resolved.options
  })

const facts: fc.Arbitrary<Facts> = fc.record(
  {
    interfaces: fc.constant({ br0: { mac: '02:00:00:00:00:51', addresses: ['10.0.0.51/16', '192.168.1.1/24'] } }),
    eucalyptusVersion: fc.constantFrom('5.1.0', '4.4.6-0.1'),
  },
  { requiredKeys: ['interfaces'] },
)

/** What differs between two nodes; printed whole when a property does not hold. */
type Asked = Pick<Task, 'view' | 'node' | 'facts'>

export const anyAsked: fc.Arbitrary<Asked> = fc
  .record({
    view: anyView.filter((view) => addressesOf(view).length > 0),
    tail: fc.constantFrom('', '012345678'),
    options,
    facts,
    pick: fc.nat(),
    profile: fc.constantFrom('compatible' as const, 'hardened' as const),
    persist: fc.boolean(),
  })
  .map(({ view: short, tail, options: chosen, facts: known, pick, profile, persist }) => {
    const view = repeatRules(lengthenIds(short, tail))
    const addresses = addressesOf(view)
    const address = addresses[pick % addresses.length] ?? ''
    const name = `nc-${address.replaceAll('.', '-')}`
    const node = { name, address, role: 'nc', profile, persist, options: chosen } as const
    return { view: { ...view, mode: edge.name }, node, facts: known }
  })

export function taskOf(asked: Asked): Task {
  return { ...asked, mode: edge, templates }
}

/** Ids have 8 or 17 digits, interface names room for 8. */
function lengthenIds(view: View, tail: string): View {
  const instances = view.instances.map((instance) => ({ ...instance, id: instance.id + tail }))
  const clusters = view.clusters.map((cluster) => {
    const nodes = cluster.nodes.map((node) => ({ ...node, instances: node.instances.map((id) => id + tail) }))
    return { ...cluster, nodes }
  })
  return { ...view, instances, clusters }
}

/** Nobody keeps a user from writing the same rule twice. */
function repeatRules(view: View): View {
  const groups = view.groups.map((group) => ({ ...group, ingress: [...group.ingress, ...group.ingress.slice(0, 2)] }))
  return { ...view, groups }
}

function addressesOf({ clusters }: View): readonly string[] {
  return clusters.filter(({ subnet }) => subnet).flatMap(({ nodes }) => nodes.map(({ name }) => name))
}
