/** How a watch stands, for a collector of files: the text format of Prometheus, without times of its own. */

import type { Status } from '../run/outcome.ts'
import { WORST_FIRST } from './worst-first.ts'

/** What became of a round. */
const RESULTS = ['good', 'failed', 'refused'] as const

export interface WatchTotals {
  readonly cloud: string
  readonly rounds: Readonly<Record<(typeof RESULTS)[number], number>>
  /** What became of each node last. */
  readonly nodes: ReadonlyMap<Status, number>
  readonly view: { readonly version: string | undefined; readonly digest: string } | undefined
  /** The last round after which every node held what the view asks for. */
  readonly success: Date | undefined
  /** Seconds from the last change that was noticed to its last confirmation. */
  readonly delay: number | undefined
  /** The last round had no view that could be served. */
  readonly isRefused: boolean
}

export function watchMetrics(totals: WatchTotals): string {
  const { cloud, rounds, nodes, view, success, delay, isRefused } = totals
  const family = (name: string, type: 'gauge' | 'counter', help: string, samples: readonly Sample[]) => [
    `# HELP edgepush_watch_${name} ${help}\n`,
    `# TYPE edgepush_watch_${name} ${type}\n`,
    ...samples.map(([labels, value]) => `edgepush_watch_${name}{${labelsText({ cloud, ...labels })}} ${value}\n`),
  ]
  const known = success && success.getTime() / 1000
  return [
    ...family(
      'rounds_total',
      'counter',
      'Rounds by result; refused is one without a view that could be served.',
      RESULTS.map((result) => [{ result }, rounds[result]]),
    ),
    ...family('refused', 'gauge', 'Whether the last round had no view that could be served.', [
      [{}, isRefused ? 1 : 0],
    ]),
    ...family(
      'nodes',
      'gauge',
      'Nodes by what became of them last.',
      WORST_FIRST.map((status) => [{ status }, nodes.get(status) ?? 0]),
    ),
    ...family(
      'last_success_timestamp_seconds',
      'gauge',
      'When every node held what the view asks for.',
      known === undefined ? [] : [[{}, known]],
    ),
    ...family(
      'change_to_confirmed_seconds',
      'gauge',
      'From the notice of the last change to its last confirmation.',
      delay === undefined ? [] : [[{}, delay]],
    ),
    ...family(
      'view_info',
      'gauge',
      'The view that was served last.',
      view ? [[{ version: view.version ?? '', digest: view.digest }, 1]] : [],
    ),
  ].join('')
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]

function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')
}
