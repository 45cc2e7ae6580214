// npm run bench:many: what 50 to 5,000 nodes cost the controller, with a double for the nodes (sshd-double.ts): pushes that
// are first, changed and unchanged over connections of their own, and rounds of a watch over connections that are kept.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '../lab/start-agent.ts'
import type { RunEvent } from '../src/run/event.ts'
import { addressOf, manyPlan, manyView } from './many-nodes.ts'
import { middle, printTable } from './print-table.ts'
import { readUsed, TELL_USED, type Used, watchedRounds } from './used.ts'

interface Counted {
  readonly connections: number
  readonly questions: number
  readonly turns: number
  readonly received: number
  readonly sent: number
}

interface Measured extends Counted, Used {
  /** Milliseconds. */
  readonly wall: number
}

const SIZES = process.argv.slice(2).map(Number)
/** Of a watch, after the one that makes the connections. */
const ROUNDS = 3
const CLI = join(packageRoot(), 'dist/cli.js')

const rows: (readonly string[])[] = []
for (const size of SIZES.length > 0 ? SIZES : [50, 200, 1_000, 5_000]) rows.push(...(await measure(size)))
const [cpu] = cpus()
process.stdout.write(
  `a double for the nodes, on the same machine; Node.js ${process.version}, ${cpu?.model}, load ${loadavg()[0]?.toFixed(2)}\n`,
)
const head = ['nodes', '', 'wall, s', 'CPU, s', 'CPU for a node, ms', 'peak memory, MiB']
printTable([...head, 'logins', 'questions', 'turns', 'KiB to it', 'KiB from it'], rows)

async function measure(size: number): Promise<readonly (readonly string[])[]> {
  const folder = mkdtempSync(join(tmpdir(), 'edgepush-many-'))
  const double = await startDouble(folder)
  try {
    writeFiles(folder, size, double.port)
    const runs: (readonly [string, Measured])[] = []
    for (const [version, status] of [
      [0, 'converged'],
      [1, 'converged'],
      [1, 'unchanged'],
    ] as const) {
      writeFileSync(join(folder, 'view.xml'), manyView(size, version))
      await double.counted()
      const name =
        status === 'unchanged' ? 'push, nothing changed' : version === 0 ? 'first push' : 'push, a rule changed'
      runs.push([name, { ...(await push(folder, status)), ...(await double.counted()) }])
    }
    runs.push(['a round of watch, connections kept', await watchRounds(folder, size, double)])
    return runs.map(([name, run]) => rowOf(name, size, run))
  } finally {
    double.end()
    rmSync(folder, { recursive: true })
  }
}

function rowOf(name: string, size: number, run: Measured): readonly string[] {
  const each = (count: number, digits: number) => (count / size).toFixed(digits)
  return [
    String(size),
    name,
    (run.wall / 1_000).toFixed(2),
    (run.cpu / 1_000).toFixed(2),
    each(run.cpu, 2),
    Math.round(run.memory / 1_024).toString(),
    each(run.connections, 1),
    each(run.questions, 1),
    each(run.turns, 1),
    each(run.received / 1_024, 1),
    each(run.sent / 1_024, 1),
  ]
}

interface Double {
  readonly port: number
  /** Since it was asked last. */
  counted(): Promise<Counted>
  end(): void
}

async function startDouble(folder: string): Promise<Double> {
  for (const name of ['key', 'host'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)])
  const program = fileURLToPath(new URL('sshd-double.js', import.meta.url))
  const child = spawn(process.execPath, [program, join(folder, 'host')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async () => String((await lines.next()).value)
  return {
    port: Number(await line()),
    async counted() {
      child.stdin.write('\n')
      return JSON.parse(await line()) as Counted
    },
    end: () => child.stdin.end(),
  }
}

function writeFiles(folder: string, size: number, port: number): void {
  const key = readFileSync(join(folder, 'host.pub'), 'utf8').trim()
  const nodes = manyPlan(size).nodes.map(({ name, address }, index) => ({ name, address, host: addressOf(index) }))
  writeFileSync(join(folder, 'known_hosts'), nodes.map(({ host }) => `[${host}]:${port} ${key}\n`).join(''))
  writeFileSync(
    join(folder, 'inventory.yml'),
    `cloud: many
defaults:
  role: nc
  ssh: { user: root, port: ${port}, key: ${folder}/key, known_hosts: ./known_hosts }
  options: { VNET_BRIDGE: br0, VNET_PUBINTERFACE: br0, VNET_PRIVINTERFACE: br0 }
nodes:
${nodes.map(({ name, address, host }) => `  ${name}: { address: ${address}, ssh: { host: ${host} } }\n`).join('')}`,
  )
  writeFileSync(
    join(folder, 'push.yml'),
    `name: many
inventory: ./inventory.yml
source: { file: ./view.xml }
stages: [{ name: all, targets: [all], window: 600s, parallel: 32, failures: 10% }]
`,
  )
}

function start(folder: string, words: readonly string[]): ChildProcess {
  const env = { PATH: process.env.PATH, HOME: folder, EDGEPUSH_STATE: join(folder, 'state') }
  const profile = process.env.PROFILE === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${process.env.PROFILE}`]
  const argv = [...profile, '--import', TELL_USED, CLI, ...words, join(folder, 'push.yml'), '--json']
  return spawn(process.execPath, argv, { env, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function push(folder: string, expected: string): Promise<Omit<Measured, keyof Counted>> {
  const began = performance.now()
  const child = start(folder, ['push'])
  const used = readUsed(child)
  const ended = once(child, 'close')
  const wrong: unknown[] = []
  if (child.stdout) {
    for await (const line of createInterface({ input: child.stdout })) {
      const event = JSON.parse(line) as RunEvent
      if (event.type === 'outcome' && event.outcome.status !== expected) wrong.push(event.outcome)
    }
  }
  await ended
  const [end] = used()
  if (wrong.length > 0 || !end) throw new Error(`${wrong.length} not ${expected}: ${JSON.stringify(wrong[0])}`)
  return { wall: performance.now() - began, ...end }
}

/** All nodes are asked each second, or as soon as the round before is over. */
async function watchRounds(folder: string, size: number, double: Double): Promise<Measured> {
  let counted: Counted | undefined
  const child = start(folder, ['watch', '--every', '1s'])
  const { walls, ...used } = await watchedRounds(child, ROUNDS, {
    end: () => child.kill('SIGTERM'),
    onFirst: async () => void (await double.counted()),
    async onLast() {
      counted = await double.counted()
    },
  })
  if (counted?.questions !== ROUNDS * size) throw new Error(`${counted?.questions} questions in ${ROUNDS} rounds`)
  const { connections, questions, turns, received, sent } = counted
  const each = (count: number) => count / ROUNDS
  return {
    ...used,
    wall: middle(walls),
    connections: each(connections),
    questions: each(questions),
    turns: each(turns),
    received: each(received),
    sent: each(sent),
  }
}
