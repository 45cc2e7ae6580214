// What a cloud says about one packet: who answers it, and which source address that one sees. Written from what groups,
// elastic IPs and the metadata service mean, and from nothing of what edgepush makes of them, so that packets can
// contradict either.

import { isAllowed } from '../../lab/demo/policy.ts'
import type { Lab } from '../../lab/make-lab.ts'
import type { PlacedInstance } from '../../lab/render-view.ts'

export type Cloud = Pick<Lab, 'world' | 'instance' | 'plan'>

export interface Flow {
  /** An instance, a node, outside or clc-01. */
  readonly from: string
  /** An address. */
  readonly to: string
  /** tcp 22, udp 53 or icmp. */
  readonly what: string
}

export interface Answer {
  readonly by: string
  readonly source: string
}

export const metadata = '169.254.169.254'

/** undefined: nobody answers. */
export function foretell(cloud: Cloud, { from, to, what }: Flow): Answer | undefined {
  const sender = senderOf(cloud, from)
  const target = instancesOf(cloud).find(({ address, publicAddress }) => to === address || to === publicAddress)
  if (target) return toInstance(cloud, sender, target, to, what)

  // There are no rules for what instances send, and everybody but instances knows them by their elastic IP.
  const source = sender.publicAddress ?? sender.address
  if (to === metadata) return what === 'tcp 80' ? { by: cloud.plan.clc.name, source } : undefined
  const host = [cloud.plan.outside, cloud.plan.clc].find(({ address }) => to === address)
  if (!host) throw new Error(`the oracle knows nobody at ${to}`)
  return { by: host.name, source }
}

export function instancesOf(cloud: Cloud): readonly PlacedInstance[] {
  return Object.keys(cloud.world().instances).map(cloud.instance)
}

interface Sender {
  readonly address: string
  readonly publicAddress?: string
  readonly groups: readonly string[]
  /** Of an instance: where it runs. */
  readonly node?: string
  /** Is a node itself. */
  readonly self?: { readonly name: string; readonly cluster: number; readonly inside: string }
}

function senderOf({ plan, world, instance }: Cloud, name: string): Sender {
  if (world().instances[name]) return { ...instance(name), node: instance(name).node.name }
  const node = plan.nodes.find((one) => one.name === name)
  if (node) {
    const inside = node.bridgeAddresses[0]?.split('/')[0] ?? ''
    return { address: node.address, groups: [], self: { name, cluster: node.cluster, inside } }
  }
  const host = [plan.outside, plan.clc].find((one) => one.name === name)
  if (!host) throw new Error(`the oracle knows nobody called ${name}`)
  return { address: host.address, groups: [] }
}

function toInstance(
  cloud: Cloud,
  sender: Sender,
  target: PlacedInstance,
  to: string,
  what: string,
): Answer | undefined {
  if (sender.self) return fromNode(cloud, sender.self, target, to, what)
  const isElastic = to === target.publicAddress
  const source = isElastic ? (sender.publicAddress ?? sender.address) : sender.address
  // On one node nothing is sent out under the elastic IP yet when it is filtered: a rule that names either lets it in.
  const known = isElastic && sender.node === target.node.name ? [sender.address, source] : [source]
  const { groups } = sender
  const isLetIn = known.some((address) => isAllowed(cloud.world(), what, { address, groups }, target.groups))
  return isLetIn ? { by: target.id, source } : undefined
}

/** To its own instances a node may send what it likes; to others it is a host like any other. */
function fromNode(
  { world, plan }: Cloud,
  node: NonNullable<Sender['self']>,
  target: PlacedInstance,
  to: string,
  what: string,
): Answer | undefined {
  const isElastic = to === target.publicAddress
  if (target.node.name === node.name) return { by: target.id, source: isElastic ? to : node.inside }
  const outer = plan.nodes.find(({ name }) => name === node.name)?.address ?? ''
  const source = !isElastic && target.node.cluster === node.cluster ? node.inside : outer
  const isLetIn = isAllowed(world(), what, { address: source, groups: [] }, target.groups)
  return isLetIn ? { by: target.id, source } : undefined
}
