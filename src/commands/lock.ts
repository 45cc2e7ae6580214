/** `edgepush lock`: which run has which nodes, and taking them from one by hand. Asks no node. */

import { EXIT, type ExitCode, Refusal } from '../error.ts'
import { type Lock, listLocks, removeLocks } from '../record/lock.ts'
import { type Life, ownerHere } from '../record/owner.ts'
import { table } from '../report/table.ts'
import type { Context } from './context.ts'
import { runId } from './fleet-run.ts'
import { describe } from './hold-nodes.ts'

const STATES: Readonly<Record<Life, string>> = {
  alive: 'runs',
  gone: 'is gone: the next run takes it over',
  elsewhere: 'is not on this machine: nothing is known',
}

export function lockStatus(
  { json }: { readonly json: boolean },
  { stateFolder, terminal, version }: Context,
): ExitCode {
  const locks = listLocks(stateFolder)
  if (json) {
    const first = { type: 'edgepush', format: 1, version, command: 'lock status' }
    const lines = locks.map(({ cloud, node, owner: { whereabouts: _, ...owner }, life }) => {
      return { type: 'lock', cloud, node, ...owner, life }
    })
    for (const line of [first, ...lines]) terminal.out(`${JSON.stringify(line)}\n`)
    return EXIT.ok
  }
  const rows = locks.map(({ cloud, node, owner, life }) => {
    return [
      cloud,
      node,
      owner.run,
      owner.command,
      `${owner.user}@${owner.host}`,
      String(owner.pid),
      owner.since,
      STATES[life],
    ]
  })
  const head = ['CLOUD', 'NODE', 'RUN', 'COMMAND', 'WHO', 'PROCESS', 'SINCE', 'IT']
  terminal.out(rows.length === 0 ? 'no run has any node\n' : table([head, ...rows]))
  return EXIT.ok
}

export async function lockRelease(
  run: string,
  { yes }: { readonly yes: boolean },
  context: Context,
): Promise<ExitCode> {
  const { stateFolder, terminal, pid, clock } = context
  const locks = listLocks(stateFolder).filter(({ owner }) => owner.run === run)
  const [first] = locks
  if (!first) throw new Refusal(EXIT.usage, `no node is held by a run "${run}"`, 'edgepush lock status lists them')
  terminal.err(`${describe(first.owner)} ${STATES[first.life]}; it has ${locks.map(({ node }) => node).join(', ')}\n`)
  if (first.life !== 'gone' && !yes && !(await agree(first, context))) return EXIT.heldElsewhere
  const removed = removeLocks(stateFolder, locks, ownerHere(runId(clock()), 'lock release', pid, clock()))
  terminal.out(`released: ${removed.map(({ node }) => node).join(', ') || 'nothing, it was released meanwhile'}\n`)
  return EXIT.ok
}

async function agree({ owner, life }: Lock, { ask }: Context): Promise<boolean> {
  const danger = life === 'alive' ? `it runs: kill ${owner.pid} ends it` : `see on ${owner.host} that it is gone`
  if (ask) return await ask(`Two runs at one node undo each other's work (${danger}). Take the nodes from it?`)
  throw new Refusal(
    EXIT.usage,
    `${danger}; nobody is at a terminal to be asked`,
    `edgepush lock release ${owner.run} --yes`,
  )
}
