// npm run bench:fleet: pushes to 10 and 50 real nodes of the lab (or as many as are named), beside what others take to load
// the same files there over connections that they keep.

import { loadavg } from 'node:os'
import { join } from 'node:path'
import { labMissing } from '../lab/lab-missing.ts'
import type { Lab } from '../lab/make-lab.ts'
import { packageRoot } from '../lab/start-agent.ts'
import { startLab } from '../lab/start-lab.ts'
import type { World } from '../lab/world.ts'
import type { RunEvent } from '../src/run/event.ts'
import { cpuTime } from './cpu-time.ts'
import { type Peer, peersFor } from './fleet-peers.ts'
import { middle, printTable, seconds } from './print-table.ts'
import { TELL_USED, usedIn, watchedRounds } from './used.ts'

interface Measured {
  readonly wall: number
  /** Of the command and what it started. */
  readonly cpu: number
  /** KiB; of edgepush alone. */
  readonly memory?: number
  /** Bytes on the cable of the admin host, headers of every layer included. */
  readonly sent: number
  readonly received: number
}

const SIZES = process.argv.slice(2).map(Number)
const ROUNDS = 3
/** Of a peer, to load it once. */
const ATTEMPTS = 4
const CLI = join(packageRoot(), 'dist/cli.js')
/** The last line on standard error is the CPU time of the command, user and system. */
const TIMED = '"$@"; code=$?; times >&2; exit $code'

const missing = labMissing()
if (missing.length > 0) {
  process.stderr.write(`This machine cannot run it:\n  ${missing.join('\n  ')}\n`)
  process.exit(1)
}
const rows: (readonly string[])[] = []
for (const size of SIZES.length > 0 ? SIZES : [10, 50]) rows.push(...(await measure(size)))
process.stdout.write(
  `medians of ${ROUNDS} rounds, 5 instances on a node, all nodes on this machine; seconds; load ${loadavg()[0]?.toFixed(2)}\n`,
)
const head = ['nodes', '', 'wall', 'times the floor', 'CPU of the admin host', 'for a node, ms', 'peak memory, MiB']
printTable([...head, 'KiB to a node', 'KiB from it'], rows)

async function measure(size: number): Promise<readonly (readonly string[])[]> {
  const lab = await startLab({ nodes: size, clusters: size > 100 ? 2 : 1, world: worldOf(size, 0) })
  try {
    process.stderr.write(`${size} nodes: edgepush\n`)
    const first = await push(lab, 'converged')
    const changed: Measured[] = []
    const unchanged: Measured[] = []
    for (let round = 1; round <= ROUNDS; round += 1) {
      await lab.publish(worldOf(size, round))
      changed.push(await push(lab, 'converged'))
      unchanged.push(await push(lab, 'unchanged'))
    }
    const kept = await watch(lab)
    const { cwd, peers } = await peersFor(lab)
    const others: (readonly [string, readonly Measured[]])[] = []
    for (const peer of peers) {
      process.stderr.write(`${size} nodes: ${peer.name}\n`)
      const runs: Measured[] = []
      // The first one makes the connections.
      for (let round = 0; round <= ROUNDS; round += 1) runs.push(await load(lab, peer, cwd))
      others.push([peer.name, runs.slice(1)])
    }
    const floor = middle((others[0]?.[1] ?? []).map(({ wall }) => wall))
    const row = ([name, runs]: readonly [string, readonly Measured[]]) => {
      const wall = middle(runs.map((run) => run.wall))
      const memory = middle(runs.map((run) => run.memory ?? Number.NaN))
      return [
        String(size),
        name,
        seconds(wall),
        (wall / floor).toFixed(1),
        seconds(middle(runs.map(({ cpu }) => cpu))),
        (middle(runs.map(({ cpu }) => cpu)) / size).toFixed(1),
        Number.isNaN(memory) ? '' : String(Math.round(memory / 1024)),
        ...(['sent', 'received'] as const).map((way) => (middle(runs.map((run) => run[way])) / 1024 / size).toFixed(1)),
      ]
    }
    const ours = [
      ['edgepush, first push', [first]] as const,
      ['edgepush, a rule changed everywhere', changed] as const,
      ['edgepush, nothing changed', unchanged] as const,
      ['edgepush watch, nothing changed, connections kept', kept] as const,
    ]
    return [...ours, ...others].map(row)
  } finally {
    await lab.stop()
  }
}

async function push(lab: Lab, expected: string): Promise<Measured> {
  const argv = [process.execPath, '--import', TELL_USED, CLI, 'push', 'push.yml', '--json']
  const { stdout, stderr, ...measured } = await timed(lab, argv, lab.files.directory)
  const wrong = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent)
    .flatMap((event) => (event.type === 'outcome' && event.outcome.status !== expected ? [event.outcome] : []))
  if (wrong.length > 0) throw new Error(`not ${expected}: ${JSON.stringify(wrong)}\n${stderr}`)
  return { ...measured, memory: usedIn(stderr)[0]?.memory ?? Number.NaN }
}

/** Rounds in which every node is asked. */
async function watch(lab: Lab): Promise<readonly Measured[]> {
  const argv = [process.execPath, '--import', TELL_USED, CLI, 'watch', 'push.yml', '--json', '--every', '1s']
  const child = lab.admin.spawn(argv, { cwd: lab.files.directory, env: { HOME: lab.files.directory } })
  const bytes: Bytes[] = []
  const look = async () => void bytes.push(await bytesOf(lab))
  // In a namespace the process that was started here only waits for the watch, which would go on without it.
  const end = () => lab.admin.kill(child, 'SIGTERM')
  const { walls, cpu, memory } = await watchedRounds(child, ROUNDS, { onFirst: look, onLast: look, end })
  const [before, after] = bytes
  if (!before || !after) throw new Error('the watch has ended')
  const sent = (after.sent - before.sent) / ROUNDS
  const received = (after.received - before.received) / ROUNDS
  return walls.map((wall) => ({ wall, cpu, memory, sent, received }))
}

type Bytes = Pick<Measured, 'sent' | 'received'>

async function bytesOf({ admin }: Lab): Promise<Bytes> {
  const files = ['tx', 'rx'].map((way) => `/sys/class/net/eth0/statistics/${way}_bytes`)
  const [sent = 0, received = 0] = (await admin.run(['cat', ...files])).split('\n').map(Number)
  return { sent, received }
}

/** Tools on nftables give up when they meet another change of the same tables: who does not try again is tried again here. */
async function load(lab: Lab, peer: Peer, cwd: string): Promise<Measured> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await loadOnce(lab, peer, cwd)
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      const [why] = error instanceof Error ? error.message.split('\n') : []
      process.stderr.write(`${peer.name}: once more: ${why}\n`)
    }
  }
}

async function loadOnce(lab: Lab, { name, argv, mark }: Peer, cwd: string): Promise<Measured> {
  const { stdout, stderr, ...measured } = await timed(lab, argv, cwd)
  const loaded = [...stdout.matchAll(mark)].length
  if (loaded !== lab.nodes.length)
    throw new Error(`${name}: ${loaded} nodes loaded it\n${stdout.slice(-2_000)}${stderr}`)
  return measured
}

async function timed(lab: Lab, argv: readonly string[], cwd: string) {
  const before = await bytesOf(lab)
  const began = performance.now()
  const options = { cwd, timeout: 600_000, env: { HOME: lab.files.directory } }
  const { code, stdout, stderr } = await lab.admin.exec(['sh', '-c', TIMED, 'sh', ...argv], options)
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}\n${stderr}\n${stdout.slice(-2_000)}`)
  const wall = performance.now() - began
  const after = await bytesOf(lab)
  const [sent, received] = [after.sent - before.sent, after.received - before.received]
  return { wall, cpu: cpuTime(stderr, 'children'), sent, received, stdout, stderr }
}

/** 5 instances on a node, a group for each 5, 4 rules in a group, one of which names another. */
function worldOf(size: number, version: number): World {
  const group = (index: number) => `sg-${(0x20000000 + (index % size)).toString(16)}`
  const instances = Array.from({ length: 5 * size }, (_, index) => {
    const node = `nc-${String(1 + (index % size)).padStart(2, '0')}`
    return [`i-${(0x10000000 + index).toString(16)}`, { node, groups: [group(index)] }] as const
  })
  const rules = (index: number) => [
    'tcp 22 from anywhere',
    'icmp 8/0 from anywhere',
    `tcp ${9_000 + version} from 198.51.100.0/24`,
    `tcp 5432 from ${group(index + 1)}`,
  ]
  return {
    instances: Object.fromEntries(instances),
    groups: Object.fromEntries(Array.from({ length: size }, (_, index) => [group(index), rules(index)])),
  }
}
