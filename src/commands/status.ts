/** `edgepush status`: what became of each node in its last run; with --live, what it says of itself now. */

import type { Templates } from '../bundle/templates.ts'
import type { InventoryNode } from '../config/inventory.ts'
import { packageTemplates } from '../config/templates.ts'
import type { ExitCode } from '../error.ts'
import { type Probed, probeNode } from '../node/probe.ts'
import { type NodeRecord, readRecord } from '../record/record.ts'
import { type Row, table } from '../report/table.ts'
import { working } from '../report/working.ts'
import { chosenNodes } from './chosen.ts'
import type { Context, NodeFlags } from './context.ts'
import { eachNode } from './each-node.ts'
import { configure } from './gather.ts'
import { type Failed, failed, worstOf } from './node-failure.ts'

export interface StatusFlags extends NodeFlags {
  readonly live: boolean
  readonly forks: number | undefined
}

interface Known {
  readonly node: string
  readonly record: NodeRecord | undefined
  readonly live: Live | Failed | undefined
}

interface Live {
  readonly digest: string | undefined
  readonly pending: Probed['pending']
  readonly held: boolean
  readonly differing: readonly string[]
}

export async function status(playbook: string | undefined, flags: StatusFlags, context: Context): Promise<ExitCode> {
  const { inventory } = configure(flags, playbook, context)
  const record = readRecord(context.stateFolder, inventory.cloud)
  const templates = packageTemplates()
  const work = eachNode(chosenNodes(inventory, flags, context), flags, async (node): Promise<Known> => {
    const live = flags.live ? await askLive(node, templates, context) : undefined
    return { node: node.name, record: record.get(node.name), live }
  })
  const known = await working(context.terminal, 'asking the nodes', work)
  context.terminal.out(flags.json ? asJson(known, context) : asTable(known, flags.live))
  return worstOf(known.flatMap(({ live }) => (live && 'exitCode' in live ? [live] : [])))
}

async function askLive(node: InventoryNode, templates: Templates, { transport }: Context): Promise<Live | Failed> {
  try {
    const { holding, pending } = await probeNode(transport, node.target, templates)
    return { pending, digest: holding?.digest, held: holding?.held ?? false, differing: holding?.differing ?? [] }
  } catch (error) {
    return failed(node.name, error)
  }
}

function asTable(known: readonly Known[], live: boolean): string {
  const head = ['NODE', 'LAST', 'DIGEST', 'VIEW', 'WHEN', 'RUN', ...(live ? ['NOW'] : [])]
  return table([head, ...known.map((one) => [...recordCells(one), ...(live ? [liveCell(one)] : [])])]) + reasons(known)
}

function recordCells({ node, record }: Known): Row {
  if (!record) return [node, 'never pushed', '-', '-', '-', '-']
  const { outcome, view, time, run } = record
  const last =
    outcome.phase && !['converged', 'unchanged'].includes(outcome.status)
      ? `${outcome.status} at ${outcome.phase}`
      : outcome.status
  return [
    node,
    last,
    outcome.digest?.slice(0, 12) ?? '-',
    view ? (view.version ?? view.digest.slice(0, 8)) : '-',
    time,
    run,
  ]
}

function liveCell({ live }: Known): string {
  if (!live) return '-'
  if ('exitCode' in live) return 'no answer'
  if (live.pending?.state === 'awaiting') return `waits ${live.pending.left} s for edgepush confirm ${live.pending.run}`
  if (live.pending) return `in the middle of run ${live.pending.run}`
  if (live.digest === undefined) return 'holds nothing of ours'
  return live.held
    ? `holds ${live.digest.slice(0, 12)}`
    : `has ${live.digest.slice(0, 12)}, but differs: ${live.differing.join(', ')}`
}

/** Why the last run failed, and why a node could not be asked now. */
function reasons(known: readonly Known[]): string {
  return known
    .flatMap(({ node, record, live }) => {
      const bad = record && !['converged', 'unchanged'].includes(record.outcome.status)
      const last = bad && record.outcome.reason ? [`${node}: ${record.outcome.reason}\n`] : []
      return live && 'exitCode' in live ? [...last, `${live.message}\n`] : last
    })
    .join('')
}

function asJson(known: readonly Known[], { version }: Context): string {
  const first = { type: 'edgepush', format: 1, version, command: 'status' }
  return [first, ...known.map((one) => ({ type: 'status', ...one }))]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('')
}
