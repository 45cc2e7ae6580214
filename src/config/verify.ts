/**
 * What a stage's `verify` says: what must work on a node before its commit is confirmed.
 *
 * That a node takes a new connection is always verified, because nothing could be confirmed otherwise; naming it says for
 * how long it may refuse.
 */

import type { Defect, KeyPath } from './defect.ts'
import { parseDuration } from './duration.ts'
import type { PlaybookYaml } from './playbook.schema.ts'

/** Timeouts are in milliseconds; `where` is `file:line:column`. */
export type StageCheck = NodeCheck | Probe

interface NodeCheck {
  readonly kind: 'node'
  /** A check of a mode. */
  readonly name: string
  readonly timeout: number
  readonly where: string
}

/** A TCP connection from here to an instance of the node. */
export interface Probe {
  readonly kind: 'probe'
  readonly to: string
  readonly port: number
  readonly expect: 'pass' | 'drop'
  readonly timeout: number
  readonly where: string
}

type Item = NonNullable<PlaybookYaml['stages'][number]['verify']>[number]
type Said = Exclude<Item, string>

/** Shorter than the shortest window. */
const TIMEOUT = 4_000

export function toChecks(items: readonly Item[], where: (index: number) => string): readonly StageCheck[] {
  return items.flatMap((item, index): readonly StageCheck[] => {
    const { check, timeout, to, tcp, expect } = saidBy(item)
    const common = { timeout: timeout === undefined ? TIMEOUT : parseDuration(timeout), where: where(index) }
    if (check === 'reconnect') return []
    if (check !== 'probe') return [{ kind: 'node', name: check, ...common }]
    // Of a probe that lacks one of these, the file is refused.
    if (to === undefined || tcp === undefined || expect === undefined) return []
    return [{ kind: 'probe', to, port: tcp, expect, ...common }]
  })
}

/** Milliseconds in which a node must take a new connection, if that is said. */
export function toReconnect(items: readonly Item[]): number | undefined {
  const timeout = items.map(saidBy).find(({ check }) => check === 'reconnect')?.timeout
  return timeout === undefined ? undefined : parseDuration(timeout)
}

/** `window` in milliseconds. */
export function findVerifyDefects(items: readonly Item[], window: number, path: KeyPath): readonly Defect[] {
  const all = items.map(saidBy)
  return all.flatMap((said, index) => {
    const here = [...path, index]
    const isRepeated = all.findIndex((other) => subjectOf(other) === subjectOf(said)) < index
    return [
      ...shapeDefects(said, here),
      ...(isRepeated ? [{ path: here, problem: `${subjectOf(said)} is already verified in this stage` }] : []),
      ...(said.timeout !== undefined && parseDuration(said.timeout) >= window
        ? [{ path: [...here, 'timeout'], problem: `must be shorter than the window, which is ${window / 1_000}s` }]
        : []),
    ]
  })
}

const OF_PROBES = ['to', 'tcp', 'expect'] as const

function shapeDefects(said: Said, path: KeyPath): readonly Defect[] {
  if (said.check === 'probe') {
    return OF_PROBES.filter((key) => said[key] === undefined).map((key) => ({
      path,
      problem: `key "${key}" is missing: a probe is such as { check: probe, to: 10.111.200.1, tcp: 22, expect: pass }`,
    }))
  }
  return OF_PROBES.filter((key) => said[key] !== undefined).map((key) => ({
    path,
    atKey: key,
    problem: `key "${key}" belongs to a probe, not to ${said.check}`,
  }))
}

/** Whether it should pass or drop, it is the same packet. */
function subjectOf({ check, to, tcp }: Said): string {
  return check === 'probe' ? `the probe of ${to} port ${tcp}` : check
}

function saidBy(item: Item): Said {
  return typeof item === 'string' ? { check: item as Said['check'] } : item
}
