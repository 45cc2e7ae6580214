// What the security groups say about one packet. Written from what a security group means, not from the rules that
// edgepush makes of it, so that the packets can contradict them.

import { BlockList } from 'node:net'
import { parseRule } from '../render-view.ts'
import type { Rule, World } from '../world.ts'

export interface Sender {
  readonly address: string
  readonly groups: readonly string[]
}

/** `what` is tcp 22, udp 53 or icmp (an echo request). Members of a group may ask each other everything. */
export function isAllowed(world: World, what: string, from: Sender, to: readonly string[]): boolean {
  return to.some((group) => {
    if (from.groups.includes(group)) return true
    return (world.groups[group] ?? []).some((rule) => covers(rule, what) && admits(rule, from))
  })
}

function covers(rule: Rule, what: string): boolean {
  const { protocol, first, second } = parseRule(rule)
  const asked = parseRule(`${what} from anywhere`)
  if (protocol !== asked.protocol) return false
  if (first === undefined) return true
  if (asked.first === undefined) return first === '8' && (second ?? '0') === '0'
  return Number(first) <= Number(asked.first) && Number(asked.first) <= Number(second ?? first)
}

function admits(rule: Rule, from: Sender): boolean {
  const { whom } = parseRule(rule)
  if (whom.startsWith('sg-')) return from.groups.includes(whom)
  const [network = '', prefix = '32'] = whom.split('/')
  const range = new BlockList()
  range.addSubnet(network, Number(prefix))
  return range.check(from.address)
}
