// npm run bench:flip: for how long a cloud is neither old nor new when every node of it has to change, with the barrier and
// without, beside Ansible doing the least that it can do with the same nodes at once.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { labMissing } from '../lab/lab-missing.ts'
import type { Lab } from '../lab/make-lab.ts'
import { startLab } from '../lab/start-lab.ts'
import type { World } from '../lab/world.ts'
import type { RunEvent } from '../src/run/event.ts'
import { middle, printTable } from './print-table.ts'

const SIZES = process.argv.slice(2).map(Number)
const ROUNDS = 3
/** Between two looks of eucanetd at the view, as it is delivered. */
const POLL = 1_000

interface Flip {
  /** Milliseconds, from the first node to the last. */
  readonly heard: number
  readonly atLeast: number
  readonly atMost: number
}

const missing = labMissing()
if (missing.length > 0) {
  process.stderr.write(`This machine cannot run it:\n  ${missing.join('\n  ')}\n`)
  process.exit(1)
}
const rows: (readonly string[])[] = []
for (const size of SIZES.length > 0 ? SIZES : [10, 50, 200]) rows.push(...(await measure(size)))
process.stdout.write(
  `medians of ${ROUNDS} rounds, all nodes on this machine; milliseconds from the first node to the last\n`,
)
printTable(['nodes', '', 'by their clocks', 'as heard', 'times the barrier'], rows)

async function measure(size: number): Promise<readonly (readonly string[])[]> {
  const lab = await startLab({ nodes: size, clusters: size > 100 ? 2 : 1, world: worldOf(size, 0) })
  try {
    const playbook = await readFile(lab.files.playbook, 'utf8')
    const stage = async (commit: string) =>
      writeFile(
        lab.files.playbook,
        playbook.replace(/^stages:[\s\S]*$/m, `stages: [{ name: all, targets: [all], commit: ${commit} }]\n`),
      )
    await push(lab)
    const flips: Record<'together' | 'each', Flip[]> = { together: [], each: [] }
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [turn, commit] of (['together', 'each'] as const).entries()) {
        await stage(commit)
        await lab.publish(worldOf(size, 1 + 2 * round + turn))
        flips[commit].push(await push(lab))
      }
    }
    const barrier = middle(flips.together.map(middleOf))
    const row = (name: string, all: readonly Flip[]) => {
      const span = `${Math.round(middle(all.map(({ atLeast }) => atLeast)))} to ${Math.round(middle(all.map(({ atMost }) => atMost)))}`
      return [
        String(size),
        name,
        span,
        String(middle(all.map(({ heard }) => heard))),
        (middle(all.map(middleOf)) / barrier).toFixed(1),
      ]
    }
    const ansible = await ansibles(lab)
    const others = [
      ...(ansible === undefined ? [] : [['Ansible, one command on each node', ansible] as const]),
      ['eucanetd, between two looks at the view', POLL] as const,
    ]
    return [
      row('commit: together', flips.together),
      row('commit: each', flips.each),
      ...others.map(([name, time]) => [String(size), name, String(Math.round(time)), '', (time / barrier).toFixed(1)]),
    ]
  } finally {
    await lab.stop()
  }
}

function middleOf({ atLeast, atMost }: Flip): number {
  return (atLeast + atMost) / 2
}

/** An instance on every node, in a group whose rule is another in every version. */
function worldOf(size: number, version: number): World {
  const instances = Array.from({ length: size }, (_, index) => {
    const node = `nc-${String(index + 1).padStart(2, '0')}`
    return [`i-${(0x10000000 + index).toString(16)}`, { node, groups: ['sg-aaaaaaaa'] }] as const
  })
  return {
    instances: Object.fromEntries(instances),
    groups: { 'sg-aaaaaaaa': [`tcp ${1000 + version} from anywhere`] },
  }
}

async function push(lab: Lab): Promise<Flip> {
  const { code, stdout, stderr } = await lab.edgepush(['push', 'push.yml', '--json'], { timeout: 600_000 })
  if (code !== 0) throw new Error(`push ended with ${code}\n${stderr}\n${stdout.slice(-2_000)}`)
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent)
  const flipped = events.find((event) => event.type === 'flipped')
  if (!flipped?.byNodes) throw new Error('the nodes did not say when they changed')
  return { heard: flipped.heard, ...flipped.byNodes }
}

/** All nodes at once, pipelining, connections kept: the time of day on each node when its one command runs. */
async function ansibles(lab: Lab): Promise<number | undefined> {
  const { code } = await lab.admin.exec(['sh', '-c', 'command -v ansible'])
  if (code !== 0) {
    process.stderr.write('SKIPPED: Ansible is not here (apt-get install --no-install-recommends ansible-core)\n')
    return undefined
  }
  const folder = join(lab.files.directory, 'ansible')
  await mkdir(folder, { recursive: true })
  const hosts = lab.nodes.map(({ name, address }) => `${name} ansible_host=${address}\n`).join('')
  await writeFile(join(folder, 'hosts'), hosts)
  const ssh = `-o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${lab.files.knownHosts}`
  await writeFile(
    join(folder, 'ansible.cfg'),
    `[defaults]\nforks = ${lab.nodes.length}\ninventory = hosts\nremote_user = root\nprivate_key_file = ${lab.files.key}\ninterpreter_python = /usr/bin/python3\ngathering = explicit\n[ssh_connection]\npipelining = True\nssh_args = ${ssh}\ncontrol_path_dir = ${folder}/cp\n`,
  )
  const spans: number[] = []
  // The first one makes the connections.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const argv = ['ansible', 'all', '-o', '-m', 'command', '-a', 'date +%s.%N']
    const { stdout, stderr } = await lab.admin.exec(argv, { cwd: folder, timeout: 600_000, env: { HOME: folder } })
    const times = [...stdout.matchAll(/\(stdout\) (\d+\.\d+)/g)].map(([, time]) => Number(time) * 1000)
    if (times.length < lab.nodes.length) throw new Error(`${times.length} nodes answered Ansible\n${stdout}${stderr}`)
    if (round > 0) spans.push(Math.max(...times) - Math.min(...times))
  }
  return middle(spans)
}
