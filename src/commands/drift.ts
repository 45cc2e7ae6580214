/**
 * `edgepush drift`: what nodes have in places that are ours and we did not put there, and what of ours is missing. A node
 * is held against its own current bundle, the last that was confirmed: no view is asked.
 */

import type { Templates } from '../bundle/templates.ts'
import type { InventoryNode } from '../config/inventory.ts'
import { packageTemplates } from '../config/templates.ts'
import { EXIT, type ExitCode } from '../error.ts'
import { compareWithCurrent, type Deviation } from '../node/drift.ts'
import { table } from '../report/table.ts'
import type { Terminal } from '../report/terminal.ts'
import { working } from '../report/working.ts'
import { chosenNodes } from './chosen.ts'
import type { Context, NodeFlags } from './context.ts'
import { eachNode } from './each-node.ts'
import { configure } from './gather.ts'
import { type Failed, failed, worstOf } from './node-failure.ts'

export interface DriftFlags extends NodeFlags {
  readonly forks: number | undefined
  readonly detailedExitcode: boolean
}

type Compared = Drifting | Waiting | NotOurs

interface Drifting {
  readonly node: string
  readonly state: 'held' | 'drifted'
  readonly digest: string
  readonly deviations: readonly Deviation[]
}

/** What it holds is on trial or in the making, and no drift. */
interface Waiting {
  readonly node: string
  readonly state: 'awaiting' | 'committing'
  readonly run: string
  readonly left: number
}

interface NotOurs {
  readonly node: string
  readonly state: 'not-ours'
}

export async function drift(playbook: string | undefined, flags: DriftFlags, context: Context): Promise<ExitCode> {
  const { inventory } = configure(flags, playbook, context)
  const templates = packageTemplates()
  const nodes = chosenNodes(inventory, flags, context)
  const work = eachNode(nodes, flags, (node) => compareNode(node, templates, context))
  const results = await working(context.terminal, 'comparing', work)
  context.terminal.out(flags.json ? asJson(results, context) : asText(results, context.terminal))

  const failures = results.filter((result) => 'exitCode' in result)
  if (failures.length > 0) return worstOf(failures)
  const isAny = results.some((result) => 'state' in result && result.state === 'drifted')
  return isAny && flags.detailedExitcode ? EXIT.changesPending : EXIT.ok
}

async function compareNode(
  { name: node, target }: InventoryNode,
  templates: Templates,
  { transport }: Context,
): Promise<Compared | Failed> {
  try {
    const { probed, deviations } = await compareWithCurrent(transport, target, templates)
    const { pending, holding } = probed
    if (pending) {
      const state = pending.state === 'awaiting' ? 'awaiting' : 'committing'
      return { node, state, run: pending.run, left: pending.left }
    }
    if (!holding) return { node, state: 'not-ours' }
    return { node, state: deviations.length > 0 ? 'drifted' : 'held', digest: holding.digest, deviations }
  } catch (error) {
    return failed(node, error)
  }
}

function asText(results: readonly (Compared | Failed)[], terminal: Terminal): string {
  const shown = results.filter((result) => !terminal.quiet || 'exitCode' in result || result.state === 'drifted')
  return table(shown.map((result) => row(result, terminal))) + shown.map((result) => details(result, terminal)).join('')
}

function row(result: Compared | Failed, { paint }: Terminal): readonly string[] {
  const { node } = result
  if ('exitCode' in result) return [node, '-', paint.bad('no answer')]
  switch (result.state) {
    case 'held':
      return [node, paint.faint(result.digest.slice(0, 12)), paint.good('as it should be')]
    case 'drifted':
      return [node, paint.faint(result.digest.slice(0, 12)), paint.bad(`differs: ${artifactsOf(result).join(', ')}`)]
    case 'awaiting':
      return [node, '-', `not compared: waits ${result.left} s for edgepush confirm ${result.run}`]
    case 'committing':
      return [node, '-', `not compared: in the middle of run ${result.run}`]
    case 'not-ours':
      return [node, '-', 'holds nothing of ours']
  }
}

function details(result: Compared | Failed, { paint }: Terminal): string {
  if ('exitCode' in result) return `${result.message}\n`
  if (result.state !== 'drifted') return ''
  const { node, deviations } = result
  const parts = artifactsOf(result).map((artifact) => {
    const lines = deviations.filter((one) => one.artifact === artifact)
    const text = lines.map(({ what, line }) => (what === 'extra' ? paint.bad(`- ${line}`) : paint.good(`+ ${line}`)))
    return [`  ${artifact}`, ...text.map((line) => `    ${line}`)].map((line) => `${line}\n`).join('')
  })
  return `${node}: what is there and should not be (-), what is missing (+):\n${parts.join('')}`
}

function artifactsOf({ deviations }: Drifting): readonly string[] {
  return [...new Set(deviations.map(({ artifact }) => artifact))]
}

function asJson(results: readonly (Compared | Failed)[], { version }: Context): string {
  const first = { type: 'edgepush', format: 1, version, command: 'drift' }
  return [first, ...results.map((result) => ({ type: 'drift', ...result }))]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('')
}
