/**
 * Which nodes a command is about, and in which stage each is served.
 *
 * Invariants: `--node` and `--limit` only narrow; a word that names nothing is refused, because it is a typing mistake
 * and not a wish for nothing; a node belongs to the first stage that targets it, so that it is served once in a run.
 */

import { dirname } from 'node:path'
import { EXIT, type ExitCode, Refusal } from '../error.ts'
import { didYouMean } from './did-you-mean.ts'
import type { Inventory, InventoryNode } from './inventory.ts'
import { isPattern } from './pattern.ts'
import type { Playbook } from './playbook.ts'
import type { History, Unmatched } from './references.ts'
import type { Stage } from './stage.ts'
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
export function selectNodes(
  inventory: Inventory,
  { node, limit }: Narrowing,
  history: History,
): readonly InventoryNode[] {
  const named = node.length === 0 ? undefined : findNamed(inventory, node)
  const limited = limit === undefined ? undefined : findMatching(inventory, toLimit(limit, history))
  const selected = inventory.nodes.filter(({ name }) => (named?.has(name) ?? true) && (limited?.has(name) ?? true))

  if (selected.length > 0) return selected
  const problem = named
    ? '--node and --limit have no node in common'
    : `--limit ${JSON.stringify(limit)} leaves no node`
  throw new Refusal(EXIT.usage, problem, listNames(inventory))
}

/** In the order of the playbook, without the stages of which nothing is left. */
export function selectStages(
  inventory: Inventory,
  playbook: Playbook,
  narrowing: Narrowing,
  history: History,
): readonly StageNodes[] {
  const waiting = new Set(selectNodes(inventory, narrowing, history))
  const folder = playbook.document ? dirname(playbook.document.file) : ''
  const stages = playbook.stages.map((stage) => {
    const words = { texts: stage.targets, exitCode: EXIT.badConfig, place: `${stage.where}: stage "${stage.name}"` }
    const targets = findMatching(inventory, { ...words, folder, history })
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
  const known = new Set(inventory.nodes.map(({ name }) => name))
  const named = texts.flatMap((text) => text.split(',')).map((text) => text.trim())
  const unknown = named.filter((name) => !known.has(name))
  if (unknown.length === 0) return new Set(named)
  const lines = unknown.slice(0, MOST_LINES).map((name) => {
    const isWord = isGroupOrPattern(inventory, name)
    const hint = isWord ? ', and groups and patterns are for --limit' : didYouMean(name, known)
    return `--node: no node is named "${name}"${hint}`
  })
  throw new Refusal(EXIT.usage, withRest(lines, unknown.length), listNames(inventory))
}

function isGroupOrPattern({ groups }: Inventory, name: string): boolean {
  return name === 'all' || isPattern(name) || /^[&!@]/.test(name) || groups.some((group) => group.name === name)
}

interface Words {
  readonly texts: readonly string[]
  /** When one of them names nothing. */
  readonly exitCode: ExitCode
  /** Where they are written. */
  readonly place: string
  /** Where the paths of files among them begin. */
  readonly folder: string
  readonly history: History
}

function toLimit(limit: string, history: History): Words {
  return { texts: [limit], exitCode: EXIT.usage, place: '--limit', folder: '', history }
}

function findMatching(inventory: Inventory, words: Words): ReadonlySet<string> {
  const { texts, exitCode, place, folder, history } = words
  const { names, unmatched } = matchWords(inventory, texts, { namedBy: place, folder, history })
  if (unmatched.length === 0) return names
  const known = ['all', ...inventory.groups.map(({ name }) => name), ...inventory.nodes.map(({ name }) => name)]
  const lines = unmatched.slice(0, MOST_LINES).map((word) => `${place}: ${explain(word, known)}`)
  throw new Refusal(exitCode, withRest(lines, unmatched.length), listNames(inventory))
}

function explain({ text, where, why, known }: Unmatched, names: readonly string[]): string {
  const word = `${where === undefined ? '' : `${where}: `}"${text}"`
  if (why !== undefined) return `${word}: ${why}${didYouMean(text, known ?? [])}`
  return `${word} matches no node or group${didYouMean(text, names)}`
}

/** A wrong file of words would fill the screen, and each line is compared with every name. */
const MOST_LINES = 10

function withRest(lines: readonly string[], count: number): string {
  return [...lines, ...(count > lines.length ? [`and ${count - lines.length} more`] : [])].join('\n')
}

function listNames({ file }: Inventory): string {
  return `edgepush nodes -i ${file} lists the names`
}
