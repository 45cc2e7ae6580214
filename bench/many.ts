// npm run bench:many: what 50 to 5,000 nodes cost the controller, with a double for the nodes (sshd-double.ts): pushes that
// are first, changed and unchanged over connections of their own, and rounds of a watch over connections that are kept.

import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '../lab/start-agent.ts'
import type { RunEvent } from '../src/run/event.ts'
import { addressOf, manyPlan, manyView } from './many-nodes.ts'
import { middle, printTable } from './print-table.ts'

interface Counted {
  readonly connections: number
  readonly questions: number
  readonly turns: number
  readonly received: number
  readonly sent: number
}

interface Measured extends Counted {
  /** Milliseconds. */
  readonly wall: number
  readonly cpu: number
  /** KiB. */
  readonly memory: number
}

const SIZES = process.argv.slice(2).map(Number)
/** Of a watch, after the one that makes the connections. */
const ROUNDS = 3
const CLI = join(packageRoot(), 'dist/cli.js')
/** Milliseconds of what /proc counts in: `getconf CLK_TCK` is 100 on every Linux that we know. */
const TICK = 10

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

function start(
  folder: string,
  words: readonly string[],
): { readonly child: ChildProcessWithoutNullStreams; readonly lines: Interface } {
  const env = { PATH: process.env.PATH, HOME: folder, EDGEPUSH_STATE: join(folder, 'state') }
  const profile = process.env.PROFILE === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${process.env.PROFILE}`]
  const child = spawn(process.execPath, [...profile, CLI, ...words, join(folder, 'push.yml'), '--json'], { env })
  child.stderr.pipe(process.stderr)
  return { child, lines: createInterface({ input: child.stdout }) }
}

async function push(folder: string, expected: string): Promise<Omit<Measured, keyof Counted>> {
  const began = performance.now()
  const { child, lines } = start(folder, ['push'])
  const usage = followed(child)
  const wrong: unknown[] = []
  for await (const line of lines) {
    const event = JSON.parse(line) as RunEvent
    if (event.type === 'outcome' && event.outcome.status !== expected) wrong.push(event.outcome)
    if (event.type === 'run-finished') usage.read()
  }
  if (wrong.length > 0) throw new Error(`${wrong.length} not ${expected}: ${JSON.stringify(wrong[0])}`)
  return { wall: performance.now() - began, ...usage.last() }
}

/** All nodes are asked each second, or as soon as the round before is over; the first round logs in. */
async function watchRounds(folder: string, size: number, double: Double): Promise<Measured> {
  const { child, lines } = start(folder, ['watch', '--every', '1s'])
  const usage = followed(child)
  const walls: number[] = []
  let began = 0
  let rounds = 0
  let cpu = 0
  let counted: Counted | undefined
  for await (const line of lines) {
    const event = JSON.parse(line) as RunEvent
    if (event.type === 'run-started') began = performance.now()
    if (event.type !== 'run-finished') continue
    usage.read()
    if (rounds === 0) {
      cpu = usage.last().cpu
      await double.counted()
    } else walls.push(performance.now() - began)
    if (rounds === ROUNDS) {
      counted = await double.counted()
      child.kill('SIGTERM')
      break
    }
    rounds += 1
  }
  if (child.exitCode === null) await once(child, 'exit')
  if (!counted) throw new Error('the watch has ended')
  const share = Object.fromEntries(Object.entries(counted).map(([name, count]) => [name, count / ROUNDS]))
  const { memory } = usage.last()
  if (counted.questions !== ROUNDS * size) throw new Error(`${counted.questions} questions in ${ROUNDS} rounds`)
  return { ...counted, ...share, wall: middle(walls), cpu: (usage.last().cpu - cpu) / ROUNDS, memory }
}

/** What a process has used up to now, as its kernel counts it. */
function followed({ pid }: ChildProcessWithoutNullStreams) {
  let used = { cpu: 0, memory: 0 }
  return {
    read() {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')
      const memory = Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
      used = { cpu: (Number(stat[11]) + Number(stat[12])) * TICK, memory }
    },
    last: () => used,
  }
}
