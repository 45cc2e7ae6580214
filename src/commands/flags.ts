/** Flags of all commands, from what commander gives to what a command takes. */

/** As commander gives them. */
export interface Flags {
  readonly inventory?: string
  readonly view?: string
  readonly mode?: string
  readonly lenient?: boolean
  readonly node?: readonly string[]
  readonly limit?: string
  readonly forks?: number
  readonly confirmWindow?: number
  readonly by?: number
  readonly every?: number
  readonly metrics?: string
  readonly out?: string
  readonly live?: boolean
  readonly sudoers?: boolean
  readonly force?: readonly string[]
  readonly yes?: boolean
  readonly fingerprint?: string
  readonly dynamic?: boolean
  readonly detailedExitcode?: boolean
  readonly format?: 'table' | 'csv' | 'openmetrics'
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly color: boolean
}

/** Milliseconds between two rounds of all nodes in a watch. */
const FULL_ROUND = 600_000

/** What was not said is filled in; a command takes of it what it knows. */
export function complete(flags: Flags) {
  const { inventory, view, mode, limit, forks, confirmWindow, out, fingerprint, format = 'table' } = flags
  const { every = FULL_ROUND, metrics } = flags
  const { lenient = false, node = [], json = false, live = false } = flags
  const { sudoers = false, force = [], dynamic = false, yes = false, detailedExitcode = false } = flags
  const named = { inventory, node, limit, view, mode, lenient }
  const taken = { forks, confirmWindow, json, out, format, fingerprint }
  return { ...named, ...taken, every, metrics, live, sudoers, force, dynamic, yes, detailedExitcode }
}
