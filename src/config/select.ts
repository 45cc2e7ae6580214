/**
 * Which nodes a command is about, and in which stage each is served.
 *
 * Invariants: `--node` and `--limit` only narrow; a word that names nothing is refused, because it is a typing mistake
 * and not a wish for nothing; a node belongs to the first stage that targets it, so that it is served once in a run.
 */

import { EXIT, type ExitCode, Refusal } from '../error.ts'
import { didYouMean } from './did-you-mean.ts'
import type { Inventory, InventoryNode } from './inventory.ts'
import type { Playbook, Stage } from './playbook.ts'
import { matchWords } from './words.ts'

/** As typed. */
export interface Narrowing {
  /** One entry for each `--node`. */
  readonly node: readonly string[]
  readonly limit: string | undefined
}

export interface StageNodes {
  readonly stage: Stage
  /** Never empty. */
  readonly nodes: readonly InventoryNode[]
}

/** Sorted by name, never empty. */
export function selectNodes(inventory: Inventory, { node, limit }: Narrowing): readonly InventoryNode[] {
  const named = node.length === 0 ? undefined : findNamed(inventory, node)
  const limited = limit === undefined ? undefined : findMatching(inventory, [limit], EXIT.usage, '--limit')
  const selected = inventory.nodes.filter(({ name }) => (named?.has(name) ?? true) && (limited?.has(name) ?? true))

  if (selected.length > 0) return selected
  const problem = named
    ? '--node and --limit have no node in common'
    : `--limit ${JSON.stringify(limit)} leaves no node`
  throw new Refusal(EXIT.usage, problem, listNames(inventory))
}

/** In the order of the playbook, without the stages of which nothing is left. */
export function selectStages(inventory: Inventory, playbook: Playbook, narrowing: Narrowing): readonly StageNodes[] {
  const waiting = new Set(selectNodes(inventory, narrowing))
  const stages = playbook.stages.map((stage) => {
    const targets = findMatching(inventory, stage.targets, EXIT.badConfig, `${stage.where}: stage "${stage.name}"`)
    const nodes = [...waiting].filter(({ name }) => targets.has(name))
    for (const node of nodes) waiting.delete(node)
    return { stage, nodes }
  })

  const missed = narrowing.node.length > 0 ? [...waiting].map(({ name }) => name) : []
  if (missed.length > 0) {
    throw new Refusal(EXIT.usage, `no stage of the playbook "${playbook.name}" targets ${missed.join(', ')}`)
  }
  const left = stages.filter(({ nodes }) => nodes.length > 0)
  if (left.length > 0) return left
  throw new Refusal(EXIT.usage, `no stage of the playbook "${playbook.name}" targets what is selected`)
}

/** `--node` takes names only: whoever types it at night means these and no others. */
function findNamed(inventory: Inventory, texts: readonly string[]): ReadonlySet<string> {
  const known = inventory.nodes.map(({ name }) => name)
  const named = texts.flatMap((text) => text.split(',')).map((text) => text.trim())
  const unknown = named.filter((name) => !known.includes(name))
  if (unknown.length === 0) return new Set(named)
  const lines = unknown.map((name) => {
    const isWord = matchWords(inventory, [name]).unmatched.length === 0
    const hint = isWord ? ', and groups and patterns are for --limit' : didYouMean(name, known)
    return `--node: no node is named "${name}"${hint}`
  })
  throw new Refusal(EXIT.usage, lines.join('\n'), listNames(inventory))
}

function findMatching(
  inventory: Inventory,
  words: readonly string[],
  exitCode: ExitCode,
  place: string,
): ReadonlySet<string> {
  const { names, unmatched } = matchWords(inventory, words)
  if (unmatched.length === 0) return names
  const known = ['all', ...inventory.groups.map(({ name }) => name), ...inventory.nodes.map(({ name }) => name)]
  const lines = unmatched.map((word) => `${place}: "${word}" matches no node or group${didYouMean(word, known)}`)
  throw new Refusal(exitCode, lines.join('\n'), listNames(inventory))
}

function listNames({ file }: Inventory): string {
  return `edgepush nodes -i ${file} lists the names`
}
