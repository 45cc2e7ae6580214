// npm run bench:apply: what a push costs on the node itself, from a bare kernel, for bundles of three sizes, against the
// floor: the same files, one call per tool. Asserts nothing about time; ends with 1 if anything fails.

import { labMissing } from '../lab/lab-missing.ts'
import type { LabNode } from '../lab/make-node.ts'
import { startLab } from '../lab/start-lab.ts'
import type { World } from '../lab/world.ts'
import { cpuTime } from './cpu-time.ts'
import { middle, printTable, seconds } from './print-table.ts'

const ROUNDS = 5
const SIZES = [
  { instances: 5, groups: 5 },
  { instances: 100, groups: 140 },
  { instances: 400, groups: 600 },
] as const

const missing = labMissing()
if (missing.length > 0) {
  process.stderr.write(`This machine cannot run it:\n  ${missing.join('\n  ')}\n`)
  process.exit(1)
}

const CLOCK = `
clock() { name=$1; shift; from=$(date +%s%N); "$@" > /dev/null || exit 1; echo "$name $(( ($(date +%s%N) - from) / 1000000 ))"; }`

/** The daemon is started as well: it is a call of a tool. */
const FLOOR = `${CLOCK}
cd /var/lib/edgepush/current && mkdir -p /run/eucalyptus/net && : > /run/eucalyptus/net/euca-dhcp.leases
ip link set lo up && ip link add br0 type bridge && ip link set br0 up && ip addr add 10.111.5.51/16 dev br0 || exit 1
plain() {
  ipset restore < ipset.restore && iptables-restore < iptables.restore && ebtables-restore < ebtables.restore &&
    sed -n 's/^address/addr replace/p' addresses | ip -batch - &&
    dhcpd -4 -q -cf dhcpd.conf br0 2> /dev/null
}
clock floor plain
times
kill $(cat /run/eucalyptus/net/euca-dhcp.pid) && rm -r /run/eucalyptus/net`

const rows: (readonly string[])[] = []
for (const size of SIZES) rows.push(await measure(size))
printTable(
  [
    'rules',
    'floor',
    'check',
    'commit',
    'confirm',
    'all',
    'times the floor',
    'CPU of the floor',
    'CPU',
    'times',
    'processes',
  ],
  rows,
)

async function measure(size: (typeof SIZES)[number]): Promise<readonly string[]> {
  const lab = await startLab({ nodes: 1, world: worldOf(size) })
  try {
    const node = lab.node('nc-01')
    const { code, stdout } = await lab.edgepush(['push', 'push.yml'], { timeout: 300_000 })
    if (code !== 0) throw new Error(stdout)
    const rules = await node.run('cd /var/lib/edgepush/current && cat iptables.restore ebtables.restore | grep -c ^-A')
    const floors: Floor[] = []
    const runs: Run[] = []
    for (let round = 1; round <= ROUNDS; round += 1) {
      await node.reboot()
      floors.push(await floorOf(node))
      runs.push(await runOn(node, round))
    }
    return rowOf(rules.trim(), floors, runs)
  } finally {
    await lab.stop()
  }
}

interface Floor {
  readonly time: number
  readonly cpu: number
}

interface Run {
  readonly check: number
  readonly commit: number
  readonly confirm: number
  readonly cpu: number
  readonly processes: number
}

function rowOf(rules: string, floors: readonly Floor[], runs: readonly Run[]): readonly string[] {
  const floor = middle(floors.map(({ time }) => time))
  const floorCpu = middle(floors.map(({ cpu }) => cpu))
  const part = (name: keyof Run) => middle(runs.map((run) => run[name]))
  const all = middle(runs.map(({ check, commit, confirm }) => check + commit + confirm))
  const times = [floor, part('check'), part('commit'), part('confirm'), all].map(seconds)
  const cpu = part('cpu')
  const spent = [seconds(floorCpu), seconds(cpu), (cpu / floorCpu).toFixed(1)]
  return [rules, ...times, (all / floor).toFixed(1), ...spent, String(part('processes'))]
}

async function floorOf(node: LabNode): Promise<Floor> {
  const said = await node.run(['unshare', '--net', 'sh', '-c', FLOOR], { timeout: 300_000 })
  const [first = '', ...times] = said.trim().split('\n')
  return { time: Number(first.split(' ')[1]), cpu: cpuTime(times.join('\n'), 'children') }
}

async function runOn(node: LabNode, round: number): Promise<Run> {
  const said = await node.run(
    `${CLOCK}
    apply=/var/lib/edgepush/current/apply.sh
    before=$(cat /proc/sys/kernel/ns_last_pid)
    clock check sh $apply check
    echo go | clock commit sh $apply commit round-${round} ${1000 + round} 60
    clock confirm sh $apply confirm round-${round}
    times
    echo processes $(( $(cat /proc/sys/kernel/ns_last_pid) - before ))`,
    { timeout: 300_000 },
  )
  const number = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(said)?.[1])
  return {
    check: number('check'),
    commit: number('commit'),
    confirm: number('confirm'),
    cpu: cpuTime(said.replace(/^[a-z]+ \d+$/gm, ''), 'children'),
    processes: number('processes'),
  }
}

function worldOf({ instances, groups }: (typeof SIZES)[number]): World {
  const group = (index: number) => `sg-${(0x20000000 + (index % groups)).toString(16)}`
  const instanceAt = (index: number) => {
    const own = Array.from({ length: Math.ceil(groups / instances) }, (_, turn) => group(index + turn * instances))
    return [`i-${(0x10000000 + index).toString(16)}`, { node: 'nc-01', groups: [...new Set(own)] }] as const
  }
  const rules = ['tcp 22 from 10.0.0.0/8', 'tcp 80 from anywhere', 'tcp 443 from anywhere', 'icmp 8/0 from anywhere']
  return {
    instances: Object.fromEntries(Array.from({ length: instances }, (_, index) => instanceAt(index))),
    groups: Object.fromEntries(
      Array.from({ length: groups }, (_, index) => [
        group(index),
        [...rules, `tcp ${9000 + index} from 198.51.100.0/24`, `tcp 5432 from ${group(index + 1)}`],
      ]),
    ),
  }
}
