// One push in which something else happens to every node, and what is seen of them afterwards.

import type { Lab } from '../../../lab/make-lab.ts'
import type { LabNode } from '../../../lab/make-node.ts'
import { dump } from '../dump.ts'
import { push } from '../push.ts'
import { type Combination, nameOf } from './combinations.ts'
import { foreign, otherSide, type Side, worlds } from './ground.ts'
import { arm, expireWindow, leftovers, mend, missed } from './tripwire.ts'
import { type Live, type Whole, wrongWith } from './verdict.ts'

export interface Known {
  readonly whole: Readonly<Record<Side, Whole>>
  /** Other people's rules, sets, addresses and settings. */
  readonly foreign: string
}

const PATIENCE = { timeout: 600_000 }

/** From one side to the other, one combination for each of the first nodes; what is wrong, in sentences. */
export async function tryRound(
  lab: Lab,
  known: ReadonlyMap<string, Known>,
  from: Side,
  combinations: readonly Combination[],
): Promise<readonly string[]> {
  const to = otherSide[from]
  const nodes = lab.nodes.slice(0, combinations.length)
  const trapsOf = (node: LabNode) => combinations[nodes.indexOf(node)] ?? []

  await onEach(nodes, (node) => arm(node, trapsOf(node)))
  await lab.publish(worlds(lab.nodes.length)[to])
  const { outcomes } = await push(lab, [], PATIENCE)
  await onEach(nodes, expireWindow)
  const unsprung = await onEach(nodes, (node) => missed(node, trapsOf(node)))
  await onEach(nodes, mend)
  const dumps = await onEach(nodes, dump)
  const said = await live(lab)

  const next = await push(lab, [], PATIENCE)
  const nextDumps = await onEach(nodes, dump)
  const foreigners = await onEach(nodes, foreign)
  const left = await onEach(nodes, leftovers)

  return nodes.flatMap((node) => {
    const { whole, foreign: before } = knownOf(known, node)
    const sentences = wrongWith({
      outcome: outcomes[node.name],
      old: whole[from],
      wanted: whole[to],
      unwatched: trapsOf(node).some(({ at }) => at.verb === 'expire'),
      dump: knownOf(dumps, node),
      live: said.get(node.name),
      next: { outcome: next.outcomes[node.name], dump: knownOf(nextDumps, node), left: knownOf(left, node) },
      foreign: { before, after: knownOf(foreigners, node) },
    })
    const never = knownOf(unsprung, node).map((trap) => `never came to ${nameOf([trap])}`)
    return [...never, ...sentences].map((what) => `${nameOf(trapsOf(node))}: ${what}`)
  })
}

/** Undisturbed, twice there and back: what a node holds of each side, and what of others'. */
export async function getToKnow(lab: Lab): Promise<ReadonlyMap<string, Known>> {
  const before = await onEach(lab.nodes, foreign)
  const a = await wholes(lab, 'a')
  const b = await wholes(lab, 'b')
  await wholes(lab, 'a')
  return new Map(
    lab.nodes.map((node) => [
      node.name,
      { whole: { a: knownOf(a, node), b: knownOf(b, node) }, foreign: knownOf(before, node) },
    ]),
  )
}

async function wholes(lab: Lab, side: Side): Promise<ReadonlyMap<string, Whole>> {
  await lab.publish(worlds(lab.nodes.length)[side])
  const { outcomes, stderr } = await push(lab, [], PATIENCE)
  const dumps = await onEach(lab.nodes, dump)
  return new Map(
    lab.nodes.map((node) => {
      const { status, digest } = outcomes[node.name] ?? {}
      if (status !== 'converged' || digest === undefined) throw new Error(`${JSON.stringify(outcomes)}${stderr}`)
      return [node.name, { digest, dump: knownOf(dumps, node) }]
    }),
  )
}

/** What the nodes say of themselves. */
export async function live(lab: Lab): Promise<ReadonlyMap<string, Live>> {
  const { stdout } = await lab.edgepush(['status', 'push.yml', '--live', '--json'], PATIENCE)
  const lines = stdout.trimEnd().split('\n').slice(1)
  return new Map(
    lines.map((line) => {
      const { node, live }: { readonly node: string; readonly live: Live } = JSON.parse(line)
      return [node, live]
    }),
  )
}

async function onEach<T>(
  nodes: readonly LabNode[],
  ask: (node: LabNode) => Promise<T>,
): Promise<ReadonlyMap<string, T>> {
  return new Map(await Promise.all(nodes.map(async (node) => [node.name, await ask(node)] as const)))
}

export function knownOf<T>(map: ReadonlyMap<string, T>, { name }: LabNode): T {
  const value = map.get(name)
  if (value === undefined) throw new Error(`nothing is known of ${name}`)
  return value
}
