// A push as a test sees it: the exit code, and what became of each node.

import { readFile, writeFile } from 'node:fs/promises'
import type { ExecOptions, Finished } from '../../lab/commands-in.ts'
import type { Lab } from '../../lab/make-lab.ts'
import type { RunEvent } from '../../src/run/event.ts'
import type { Outcome } from '../../src/run/outcome.ts'

export interface Pushed {
  readonly code: number
  /** By node. */
  readonly outcomes: Readonly<Record<string, Outcome>>
  readonly stderr: string
}

/** `edgepush push push.yml` on the admin host, with these further arguments. */
export async function push(lab: Lab, args: readonly string[] = [], options: ExecOptions = {}): Promise<Pushed> {
  return readPushed(await lab.edgepush(['push', 'push.yml', '--json', ...args], options))
}

/** What a push with --json said. */
export function readPushed({ code, stdout, stderr }: Finished): Pushed {
  const events = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RunEvent)
  const outcomes = events.flatMap((event) => (event.type === 'outcome' ? [event.outcome] : []))
  return { code, outcomes: Object.fromEntries(outcomes.map((outcome) => [outcome.node, outcome])), stderr }
}

/** Node to status. */
function statuses({ outcomes }: Pushed): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(outcomes).map(([node, { status }]) => [node, status]))
}

/** A push that has to succeed everywhere: node to status, `converged` or `unchanged`. */
export async function mustPush(
  lab: Lab,
  args: readonly string[] = [],
  options: ExecOptions = {},
): Promise<Readonly<Record<string, string>>> {
  const pushed = await push(lab, args, options)
  if (pushed.code === 0) return statuses(pushed)
  throw new Error(`push ended with ${pushed.code}: ${JSON.stringify(pushed.outcomes, null, 2)}\n${pushed.stderr}`)
}

/** Every node of the lab, and every controller, with one status. */
export function all(lab: Lab, status: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...lab.nodes, ...lab.plan.controllers].map(({ name }) => [name, status]))
}

/** From now on the inventory wants the profile hardened, on every node. */
export async function harden(lab: Lab): Promise<void> {
  const inventory = await readFile(lab.files.inventory, 'utf8')
  const hardened = inventory.replace('  role: nc\n', '  role: nc\n  profile: hardened\n')
  if (hardened === inventory) throw new Error('the inventory has no place for a profile')
  await writeFile(lab.files.inventory, hardened)
}
