/** What every command about a view starts with: who the nodes are, what the view says, and which mode serves it. */

import { type Configuration, loadConfiguration } from '../config/configuration.ts'
import type { Inventory } from '../config/inventory.ts'
import type { Playbook } from '../config/playbook.ts'
import { packageTemplates } from '../config/templates.ts'
import { EXIT, Refusal } from '../error.ts'
import { dutyOf } from '../modes/mode.ts'
import { findDefects } from '../modes/settings.ts'
import { working } from '../report/working.ts'
import { SCOPES } from '../view/parse/scope.ts'
import type { Finding, Reading } from '../view/parse.ts'
import { fetchView, type SourcedView, type ViewSource } from '../view/source/fetch-view.ts'
import { type Allocated, allocationOf, NOBODYS } from './allocation.ts'
import type { Context, NodeFlags, ViewFlags } from './context.ts'
import { type Serving, served } from './node-bundle.ts'
import { type ServedView, servedView } from './served-view.ts'

export interface Gathered extends Serving {
  readonly sourced: SourcedView
  /** All that was read in it. */
  readonly read: ReadView
  /** How many parts of the view are not served. */
  readonly leftOut: number
  /** What a push has to keep in the record; absent where views say all of it. */
  readonly allocated: Allocated | undefined
}

type ReadView = ServedView & Pick<Gathered, 'allocated'>

export function configure(flags: NodeFlags, playbook: string | undefined, context: Context): Configuration {
  const configuration = loadConfiguration({ playbook, inventory: flags.inventory }, context.playbookPlaces)
  const warnings = doubtAlgorithms(configuration.inventory)
  for (const line of warnings) context.terminal.err(`warning: ${line}\n`)
  return configuration
}

function doubtAlgorithms({ file, nodes }: Inventory): readonly string[] {
  const old = nodes.filter(({ target }) => target.algorithms !== undefined).map(({ name }) => name)
  if (old.length === 0) return []
  const which = old.length > 3 ? `${old.slice(0, 3).join(', ')}, ...` : old.join(', ')
  return [`${file}: ${old.length} of ${nodes.length} nodes may be spoken to with old SSH algorithms (${which})`]
}

/** `before` is what the same files and flags said before: a view that is the same text is not read again. */
export async function gather(
  flags: ViewFlags,
  configuration: Configuration,
  context: Context,
  before?: Gathered,
): Promise<Gathered> {
  const { playbook, inventory } = configuration
  const { transport, terminal } = context
  const sourced = await working(terminal, 'fetching the view', fetchView(sourceOf(flags, playbook.source), transport))
  const isSame = before && !sourced.files && !sourced.configured && sourced.text === before.sourced.text
  const read = isSame ? before.read : readSourced(sourced, flags, configuration, context)
  const { view, mode, findings, leftOut, allocated } = read
  for (const finding of findings) terminal.err(`${describe(finding)}\n`)
  const gathered = { view, sourced, read, leftOut, allocated, mode, templates: before?.templates ?? packageTemplates() }
  const nodes = served(inventory.nodes, gathered)
  refuse(nodes.flatMap(({ role, options }) => findDefects(dutyOf(mode, role).options, options)))
  return gathered
}

/** As the flags and the playbook say that views of this cloud are read. */
export function readSourced(
  sourced: SourcedView,
  flags: ViewFlags,
  { playbook, inventory: { cloud, nodes } }: Configuration,
  context: Context,
): ReadView {
  const onlyNode = nodes.length === 1 ? nodes[0]?.address : undefined
  const { before, kept } = sourced.configured ? allocationOf(cloud, context) : NOBODYS
  const served = servedView(sourced, readingOf(flags, playbook), { onlyNode, before })
  const now = served.allocation
  return { ...served, allocated: kept && now && { cloud, kept, now } }
}

/** What is typed wins. */
function readingOf({ mode, lenient }: ViewFlags, { reading }: Playbook): Reading {
  const said = mode === undefined ? reading.mode : { name: mode, saidBy: '--mode' }
  return { lenient: lenient || reading.lenient, mode: said }
}

function describe({ severity, scope, where, message }: Finding): string {
  if (severity === 'warning') return `warning: ${where}: ${message}`
  return `left out: ${where}: ${message}; ${SCOPES[scope].without}`
}

export function sourceOf({ view }: ViewFlags, source: ViewSource | undefined): ViewSource {
  if (view !== undefined) return { kind: 'file', file: view }
  if (source) return source
  throw new Refusal(EXIT.usage, 'no view is named', 'name one: --view FILE, or give the playbook a source')
}

function refuse(defects: readonly string[]): void {
  if (defects.length > 0) throw new Refusal(EXIT.badConfig, [...new Set(defects)].join('\n'))
}
