/**
 * `edgepush render`: what each node should hold, as files to read. Nothing of a node is changed; a node is asked for what
 * only it knows unless the inventory declares it.
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pLimit from 'p-limit'
import type { Bundle } from '../bundle/bundle.ts'
import type { InventoryNode } from '../config/inventory.ts'
import { selectNodes } from '../config/select.ts'
import { EXIT, type ExitCode, Refusal } from '../error.ts'
import { probeNode } from '../node/probe.ts'
import { table } from '../report/table.ts'
import { working } from '../report/working.ts'
import type { Context, ViewFlags } from './context.ts'
import { configure, type Gathered, gather } from './gather.ts'
import { declaredBundle, probedBundle, served } from './node-bundle.ts'
import { type Failed, failed } from './node-failure.ts'

export interface RenderFlags extends ViewFlags {
  readonly out: string | undefined
}

const FORKS = 32

export async function render(playbook: string | undefined, flags: RenderFlags, context: Context): Promise<ExitCode> {
  const configuration = configure(flags, playbook, context)
  const nodes = selectNodes(configuration.inventory, flags)
  const gathered = await gather(flags, configuration, context)
  const limit = pLimit(flags.forks ?? FORKS)
  const work = Promise.all(served(nodes, gathered).map((node) => limit(() => bundleOf(node, gathered, context))))
  const results = await working(context.terminal, 'rendering', work)
  const bundles = results.filter((result) => 'files' in result)
  const failures = results.filter((result) => 'exitCode' in result)

  if (flags.out !== undefined) write(flags.out, bundles)
  context.terminal.out(
    flags.json ? asJson(bundles, context) : flags.out === undefined ? asText(bundles) : asList(bundles, flags.out),
  )
  for (const { message } of failures) context.terminal.err(`${message}\n`)
  return failures.reduce<ExitCode>((worst, { exitCode }) => (worst === EXIT.ok ? exitCode : worst), EXIT.ok)
}

async function bundleOf(node: InventoryNode, gathered: Gathered, context: Context): Promise<Bundle | Failed> {
  try {
    if (node.facts) return declaredBundle(node, gathered)
    return probedBundle(node, gathered)(await probeNode(context.transport, node.target, gathered.templates))
  } catch (error) {
    return failed(node.name, error)
  }
}

/** Every node has a folder of its own; what an earlier render left in it is gone. */
function write(folder: string, bundles: readonly Bundle[]): void {
  try {
    for (const { node, files } of bundles) {
      const place = join(folder, node)
      rmSync(place, { recursive: true, force: true })
      mkdirSync(place, { recursive: true })
      for (const { name, text } of files) writeFileSync(join(place, name), text)
    }
  } catch (error) {
    throw new Refusal(EXIT.noPermission, `cannot write to ${folder}: ${error instanceof Error ? error.message : error}`)
  }
}

function asText(bundles: readonly Bundle[]): string {
  return bundles
    .flatMap(({ node, files }) => files.map(({ name, text }) => `==> ${node}/${name} <==\n${text}\n`))
    .join('')
}

function asList(bundles: readonly Bundle[], folder: string): string {
  return table(
    bundles.map(({ node, digest, files }) => [join(folder, node), digest.slice(0, 12), `${files.length} files`]),
  )
}

function asJson(bundles: readonly Bundle[], { version }: Context): string {
  const first = { type: 'edgepush', format: 1, version, command: 'render' }
  const rest = bundles.map(({ node, digest, files }) => {
    return { type: 'bundle', node, digest, files: Object.fromEntries(files.map(({ name, text }) => [name, text])) }
  })
  return [first, ...rest].map((line) => `${JSON.stringify(line)}\n`).join('')
}
