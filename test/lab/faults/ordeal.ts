// A lab to which things happen, one after the other, and the model of what its nodes may hold after each of them.

import type { Lab } from '../../../lab/make-lab.ts'
import type { LabNode } from '../../../lab/make-node.ts'
import { type Dump, dump } from '../dump.ts'
import { push } from '../push.ts'
import { type Combination, nameOf } from './combinations.ts'
import { foreign, makeForeign, otherSide, type Side, worlds } from './ground.ts'
import { afterPush, type Believed, settled } from './model.ts'
import type { Random } from './random.ts'
import { arm, expireWindow, leftovers, mend, wire } from './tripwire.ts'
import { type Known, knownOf, live } from './try-round.ts'
import { differences, same } from './verdict.ts'

interface Ordeal {
  /** One more thing happens; says what. Fails when a node is not what it may be. */
  readonly step: () => Promise<string>
  /** Everything is mended: what is pushed then, holds. */
  readonly end: () => Promise<void>
}

/** What somebody does by hand to what is ours. */
const DRIFTS = [
  'iptables -F EUCA_FILTER_FWD',
  'iptables -D FORWARD -j EUCA_FILTER_FWD',
  'iptables -A FORWARD -j EUCA_FILTER_FWD',
  'iptables -I sg-cccccccc -j ACCEPT',
  'iptables -N sg-99999999 && iptables -A sg-99999999 -j ACCEPT',
  'iptables -t nat -F',
  'ipset flush sg-cccccccc',
  'ipset add EUCA_NCPRIVATE 10.9.9.9',
  'ip address add 10.111.200.250/32 dev br0',
  'ebtables -t nat -D POSTROUTING -j EUCA_EBT_NAT_POST',
  'kill -9 $(cat /run/eucalyptus/net/euca-dhcp.pid)',
  'echo "# edited" >> /run/eucalyptus/net/euca-dhcp.conf',
]

const HELD = 'flock /var/lib/edgepush/lock sleep 2 > /dev/null 2>&1 &'

export function startOrdeal(
  lab: Lab,
  known: ReadonlyMap<string, Known>,
  combinations: readonly Combination[],
  { oneOf, chance }: Random,
): Ordeal {
  const wholeOf = (node: LabNode) => knownOf(known, node).whole
  const others = new Map([...known].map(([name, { foreign }]) => [name, foreign]))
  let side: Side = 'a'
  const believed = new Map(
    lab.nodes.map((node): [string, Believed] => [node.name, { confirmed: ['a'], holds: [wholeOf(node).a.dump] }]),
  )

  async function pushTo(next: Side): Promise<string> {
    side = next
    await lab.publish(worlds(lab.nodes.length)[side])
    const { outcomes } = await push(lab, [], { timeout: 300_000 })
    const said = lab.nodes.map((node) => {
      const outcome = outcomes[node.name]
      if (!outcome) throw new Error(`nothing was said of ${node.name}`)
      believed.set(
        node.name,
        naming(node, () => afterPush(knownOf(believed, node), outcome, side, wholeOf(node))),
      )
      return `${node.name} ${outcome.status}`
    })
    return `push ${side}: ${said.join(', ')}`
  }

  async function disturbedPush(): Promise<string> {
    const happenings = await Promise.all(lab.nodes.map((node) => disturb(node)))
    return `${happenings.filter((what) => what !== '').join('; ')}; ${await pushTo(chance(0.8) ? otherSide[side] : side)}`
  }

  async function disturb(node: LabNode): Promise<string> {
    const combination = chance(0.6) ? oneOf(combinations) : []
    const held = chance(0.15)
    await arm(node, combination)
    if (held) await node.run(HELD)
    return combination.length > 0 || held ? `${node.name} ${nameOf(combination)}${held ? ', lock held' : ''}` : ''
  }

  /** Windows end, what is broken is mended, and every node must be what it may be. */
  async function settle(): Promise<string> {
    await Promise.all(lab.nodes.map(expireWindow))
    await Promise.all(lab.nodes.map(mend))
    const said = await live(lab)
    for (const node of lab.nodes) {
      const dumped = await dump(node)
      believed.set(
        node.name,
        naming(node, () => settled(knownOf(believed, node), dumped, said.get(node.name), wholeOf(node))),
      )
    }
    return 'settled'
  }

  async function drift(): Promise<string> {
    await settle()
    const [node, what] = [oneOf(lab.nodes), oneOf(DRIFTS)]
    await node.exec(what)
    nowHolds(node, await dump(node))
    return `${node.name}: ${what}`
  }

  async function reboot(): Promise<string> {
    const node = oneOf(lab.nodes)
    await mend(node)
    await node.reboot()
    await makeForeign(node)
    await wire(node)
    nowHolds(node, await dump(node))
    others.set(node.name, await foreign(node))
    return `${node.name} is started anew`
  }

  function nowHolds(node: LabNode, dumped: Dump): void {
    believed.set(node.name, { ...knownOf(believed, node), holds: [dumped] })
  }

  async function end(): Promise<void> {
    await settle()
    for (const last of ['a', 'b'] as const) await pushTo(last)
    await settle()
    for (const node of lab.nodes) {
      const [dumped, left, foreigners] = [await dump(node), await leftovers(node), await foreign(node)]
      const { dump: whole } = wholeOf(node).b
      if (!same(dumped, whole)) throw new Error(`${node.name}: in the end ${differences(dumped, whole)}`)
      if (left !== '') throw new Error(`${node.name}: left behind: ${left}`)
      if (foreigners !== knownOf(others, node)) throw new Error(`${node.name}: foreign: ${foreigners}`)
    }
  }

  const actions = [...Array<() => Promise<string>>(5).fill(disturbedPush), settle, settle, drift, drift, reboot]
  return { step: () => oneOf(actions)(), end }
}

function naming<T>({ name }: LabNode, judge: () => T): T {
  try {
    return judge()
  } catch (error) {
    throw new Error(`${name}: ${String(error)}`)
  }
}
