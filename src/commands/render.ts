/**
 * `edgepush render`: what each node should hold, as files to read. Nothing of a node is changed; a node is asked for what
 * only it knows unless the inventory declares it. What a profile adds to the original's rules stands beside them as a diff.
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle } from '../bundle/bundle.ts'
import type { InventoryNode } from '../config/inventory.ts'
import { EXIT, type ExitCode, Refusal } from '../error.ts'
import { probeNode } from '../node/probe.ts'
import { profileDiff } from '../report/profile-diff.ts'
import { table } from '../report/table.ts'
import { working } from '../report/working.ts'
import { changesOf } from './allocation.ts'
import { chosenNodes } from './chosen.ts'
import type { Context, ViewFlags } from './context.ts'
import { eachNode } from './each-node.ts'
import { configure, type Gathered, gather } from './gather.ts'
import { doubtsOf, warnOf } from './heed-doubts.ts'
import { declaredBundle, probedBundle, served } from './node-bundle.ts'
import { type Failed, failed, worstOf } from './node-failure.ts'

export interface RenderFlags extends ViewFlags {
  readonly out: string | undefined
}

/** A node's files; the last two are for the reader and are not pushed. */
interface Rendered extends Bundle {
  /** Empty for a node whose profile adds nothing. */
  readonly profile: string
  /** Rules that a controller's administrator keeps; empty where there are none, or the host was not asked. */
  readonly preload: string
}

interface Compiler extends Pick<Rendered, 'preload'> {
  bundleOf(node: InventoryNode): Bundle
}

const PROFILE_DIFF = 'profile.diff'
const PRELOAD = 'iptables-preload'

export async function render(playbook: string | undefined, flags: RenderFlags, context: Context): Promise<ExitCode> {
  const configuration = configure(flags, playbook, context)
  const nodes = chosenNodes(configuration.inventory, flags, context)
  const gathered = await gather(flags, configuration, context)
  warnOf(doubtsOf(gathered, configuration, nodes, context), context)
  for (const line of changesOf(gathered.allocated)) context.terminal.err(`note: ${line}\n`)
  const work = eachNode(served(nodes, gathered), flags, (node) => renderNode(node, gathered, context))
  const results = await working(context.terminal, 'rendering', work)
  const bundles = results.filter((result) => 'files' in result)
  const failures = results.filter((result) => 'exitCode' in result)

  if (flags.out !== undefined) write(flags.out, bundles)
  context.terminal.out(
    flags.json ? asJson(bundles, context) : flags.out === undefined ? asText(bundles) : asList(bundles, flags.out),
  )
  for (const { message } of failures) context.terminal.err(`${message}\n`)
  return worstOf(failures)
}

async function renderNode(node: InventoryNode, gathered: Gathered, context: Context): Promise<Rendered | Failed> {
  try {
    const { bundleOf, preload } = await compiler(node, gathered, context)
    const bundle = bundleOf(node)
    return { ...bundle, profile: profileDiff(bundleOf({ ...node, profile: 'compatible' }), bundle), preload }
  } catch (error) {
    return failed(node.name, error)
  }
}

/** Asks the node once, however often it is compiled. */
async function compiler(
  { facts, target, role }: InventoryNode,
  gathered: Gathered,
  { transport }: Context,
): Promise<Compiler> {
  if (facts) return { bundleOf: (node) => declaredBundle(node, gathered), preload: '' }
  const probed = await probeNode(transport, target, gathered.templates)
  return {
    bundleOf: (node) => probedBundle(node, gathered)(probed),
    preload: role === 'cc' ? probed.preload : '',
  }
}

function readable({ files, profile, preload }: Rendered): Rendered['files'] {
  const more = [
    { name: PROFILE_DIFF, text: profile },
    { name: PRELOAD, text: preload },
  ]
  return [...files, ...more.filter(({ text }) => text !== '')]
}

/** Every node has a folder of its own; what an earlier render left in it is gone. */
function write(folder: string, bundles: readonly Rendered[]): void {
  try {
    for (const bundle of bundles) {
      const place = join(folder, bundle.node)
      rmSync(place, { recursive: true, force: true })
      mkdirSync(place, { recursive: true })
      for (const { name, text } of readable(bundle)) writeFileSync(join(place, name), text)
    }
  } catch (error) {
    throw new Refusal(EXIT.noPermission, `cannot write to ${folder}: ${error instanceof Error ? error.message : error}`)
  }
}

function asText(bundles: readonly Rendered[]): string {
  return bundles
    .flatMap((bundle) => readable(bundle).map(({ name, text }) => `==> ${bundle.node}/${name} <==\n${text}\n`))
    .join('')
}

function asList(bundles: readonly Bundle[], folder: string): string {
  return table(
    bundles.map(({ node, digest, files }) => [join(folder, node), digest.slice(0, 12), `${files.length} files`]),
  )
}

function asJson(bundles: readonly Rendered[], { version }: Context): string {
  const first = { type: 'edgepush', format: 1, version, command: 'render' }
  const rest = bundles.map(({ node, digest, files, profile }) => {
    const texts = Object.fromEntries(files.map(({ name, text }) => [name, text]))
    return { type: 'bundle', node, digest, files: texts, ...(profile && { profileDiff: profile }) }
  })
  return [first, ...rest].map((line) => `${JSON.stringify(line)}\n`).join('')
}
