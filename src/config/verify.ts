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

/** From here to an instance of the node. */
export interface Probe {
  readonly kind: 'probe'
  readonly to: string
  /** A TCP connection to this port, or an echo request of ICMP. */
  readonly packet: number | 'echo'
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
    const { check, timeout, to, tcp, icmp, expect } = saidBy(item)
    const packet = tcp ?? icmp
    const common = { timeout: timeout === undefined ? TIMEOUT : parseDuration(timeout), where: where(index) }
    if (check === 'reconnect') return []
    if (check !== 'probe') return [{ kind: 'node', name: check, ...common }]
    // Of a probe that lacks one of these, the file is refused.
    if (to === undefined || packet === undefined || expect === undefined) return []
    return [{ kind: 'probe', to, packet, expect, ...common }]
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

const OF_PROBES = ['to', 'tcp', 'icmp', 'expect'] as const
const EXAMPLE = 'a probe is such as { check: probe, to: 10.111.200.1, tcp: 22, expect: pass }'

function shapeDefects(said: Said, path: KeyPath): readonly Defect[] {
  if (said.check === 'probe') {
    if (said.tcp !== undefined && said.icmp !== undefined)
      return [{ path, problem: 'is of tcp or of icmp, not of both' }]
    const needed = OF_PROBES.filter((key) => key !== 'icmp' && !(key === 'tcp' && said.icmp !== undefined))
    const missing = needed.filter((key) => said[key] === undefined)
    return missing.map((key) => ({ path, problem: `key "${key}" is missing: ${EXAMPLE}` }))
  }
  return OF_PROBES.filter((key) => said[key] !== undefined).map((key) => ({
    path,
    atKey: key,
    problem: `key "${key}" belongs to a probe, not to ${said.check}`,
  }))
}

/** Whether it should pass or drop, it is the same packet. */
function subjectOf({ check, to, tcp, icmp }: Said): string {
  if (check !== 'probe') return check
  return icmp === undefined ? `the probe of ${to} port ${tcp}` : `the probe of ${to} by ping`
}

function saidBy(item: Item): Said {
  return typeof item === 'string' ? { check: item as Said['check'] } : item
}
