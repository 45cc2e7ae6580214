/** A stage of a playbook: which nodes, how many at a time, and what must be true before it goes on. */

import type { Defect, KeyPath } from './defect.ts'
import { parseDuration } from './duration.ts'
import type { PlaybookYaml } from './playbook.schema.ts'
import { findVerifyDefects, type StageCheck, toChecks, toReconnect } from './verify.ts'

type StageYaml = PlaybookYaml['stages'][number]

/** A number of nodes, or a part of them. */
type Share = { readonly nodes: number } | { readonly percent: number }

export interface Stage {
  readonly name: string
  /** Words of `--limit`'s grammar. */
  readonly targets: readonly string[]
  /** Nodes at a time. */
  readonly parallel: number
  /** One after the other; none is all at once. */
  readonly batches: readonly Share[]
  /** Whether the nodes of a batch wait for one another before they begin. */
  readonly commit: 'together' | 'each'
  /** How many nodes of the run may fail, if that is said. */
  readonly failures: Share | undefined
  /** Milliseconds after a batch, before the next, also of another stage. */
  readonly pause: number
  /** Milliseconds in which a commit must be confirmed. */
  readonly window: number
  /** Milliseconds in which a node must take a new connection, if that is said. */
  readonly reconnect: number | undefined
  /** What else must work before it is confirmed. */
  readonly checks: readonly StageCheck[]
  /** `file:line:column` of its targets. */
  readonly where: string
}

/** As many connections as an admin host opens in a blink and sshd's default limits take. */
const PARALLEL = 32

const WINDOW = 60_000

/** Less is no time to find out whether a node can still be reached. */
export const SHORTEST_WINDOW = 5_000

/** What an inventory alone means: every node, in one stage. */
export const IMPLIED: Omit<Stage, 'where'> = {
  name: 'all',
  targets: ['all'],
  parallel: PARALLEL,
  batches: [],
  commit: 'together',
  failures: undefined,
  pause: 0,
  window: WINDOW,
  reconnect: undefined,
  checks: [],
}

/** `where` says of a path within the stage where that stands in its file. */
export function toStage(stage: StageYaml, where: (...path: KeyPath) => string): Stage {
  const { name, targets, commit = 'together', batches = [], verify = [], parallel = PARALLEL } = stage
  return {
    name,
    targets,
    parallel,
    batches: batches.map(toShare),
    commit,
    failures: stage.failures === undefined ? undefined : toShare(stage.failures),
    pause: stage.pause === undefined ? 0 : parseDuration(stage.pause),
    window: windowOf(stage),
    reconnect: toReconnect(verify),
    checks: toChecks(verify, (item) => where('verify', item)),
    where: where('targets'),
  }
}

function toShare(said: number | string): Share {
  return typeof said === 'number' ? { nodes: said } : { percent: Number(said.slice(0, -1)) }
}

export function findStageDefects({ stages }: PlaybookYaml): readonly Defect[] {
  const shortWindows = stages.flatMap(({ window }, index): readonly Defect[] => {
    if (window === undefined || parseDuration(window) >= SHORTEST_WINDOW) return []
    return [{ path: ['stages', index, 'window'], problem: `must be at least ${SHORTEST_WINDOW / 1_000}s` }]
  })
  const repeated = stages.flatMap(({ name }, index): readonly Defect[] => {
    if (stages.findIndex((stage) => stage.name === name) === index) return []
    return [{ path: ['stages', index, 'name'], problem: `"${name}" is already the name of a stage` }]
  })
  const verify = stages.flatMap((stage, index) => {
    return findVerifyDefects(stage.verify ?? [], windowOf(stage), ['stages', index, 'verify'])
  })
  const emptyBatches = stages.flatMap(({ batches = [] }, index): readonly Defect[] => {
    const none = batches.indexOf('0%')
    return none < 0 ? [] : [{ path: ['stages', index, 'batches', none], problem: 'must be at least 1%' }]
  })
  return [...shortWindows, ...repeated, ...verify, ...emptyBatches]
}

/** Milliseconds. */
function windowOf({ window }: StageYaml): number {
  return window === undefined ? WINDOW : parseDuration(window)
}
