/** What every command about a view starts with: who the nodes are, what the view says, and which mode serves it. */

import { type Configuration, loadConfiguration } from '../config/configuration.ts'
import type { InventoryNode } from '../config/inventory.ts'
import { notEnforced } from '../config/playbook.ts'
import { packageTemplates } from '../config/templates.ts'
import { EXIT, Refusal } from '../error.ts'
import { modeOf } from '../modes/index.ts'
import { findDefects } from '../modes/settings.ts'
import { working } from '../report/working.ts'
import { readView } from '../view/parse.ts'
import { fetchView, type SourcedView, type ViewSource } from '../view/source/fetch-view.ts'
import type { View } from '../view/view.ts'
import type { Context, NodeFlags, ViewFlags } from './context.ts'
import { type Serving, served } from './node-bundle.ts'

export interface Gathered extends Serving {
  readonly sourced: SourcedView
}

export function configure(flags: NodeFlags, playbook: string | undefined, context: Context): Configuration {
  const configuration = loadConfiguration({ playbook, inventory: flags.inventory }, context.playbookPlaces)
  for (const line of notEnforced(configuration.playbook)) context.terminal.err(`warning: ${line}\n`)
  return configuration
}

export async function gather(
  flags: ViewFlags,
  { playbook, inventory }: Configuration,
  { transport, terminal }: Context,
): Promise<Gathered> {
  const sourced = await working(terminal, 'fetching the view', fetchView(sourceOf(flags, playbook.source), transport))
  const { view, warnings } = readView(sourced.text, sourced.origin)
  const mode = modeOf(view, sourced.origin)
  for (const { where, message } of warnings) terminal.err(`warning: ${where}: ${message}\n`)
  for (const line of strangers(view, inventory.nodes)) terminal.err(`warning: ${line}\n`)
  const gathered = { view, sourced, mode, templates: packageTemplates() }
  refuse(served(inventory.nodes, gathered).flatMap(({ options }) => findDefects(mode.options, options)))
  return gathered
}

function sourceOf({ view }: ViewFlags, source: ViewSource | undefined): ViewSource {
  if (view !== undefined) return { kind: 'file', file: view }
  if (source) return source
  throw new Refusal(EXIT.usage, 'no view is named', 'name one: --view FILE, or give the playbook a source')
}

/** Nodes of the view that nobody can push to. */
function strangers(view: View, nodes: readonly InventoryNode[]): readonly string[] {
  const known = new Set<string>(nodes.map(({ address }) => address))
  return view.clusters.flatMap((cluster) =>
    cluster.nodes.filter(({ name }) => !known.has(name)).map(({ name }) => `the inventory has no node with address ${name}`),
  )
}

function refuse(defects: readonly string[]): void {
  if (defects.length > 0) throw new Refusal(EXIT.badConfig, [...new Set(defects)].join('\n'))
}
