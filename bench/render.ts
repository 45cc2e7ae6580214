// npm run bench:render: a view parsed, checked, and every node's bundle rendered, for clouds of four sizes; each in a process
// of its own, so that its memory is its own. The floor is the XML reader alone. `-- profile` says where the time goes.

import { execFileSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { argv, cpuUsage, execPath, resourceUsage, stdout } from 'node:process'
import { fileURLToPath } from 'node:url'
import { addressAfter, type LabPlan, planLab } from '../lab/plan-lab.ts'
import { addressBook, renderView } from '../lab/render-view.ts'
import type { World } from '../lab/world.ts'
import { compile } from '../src/bundle/compile.ts'
import { packageTemplates } from '../src/config/templates.ts'
import { modeNamed } from '../src/modes/index.ts'
import { dutyOf } from '../src/modes/mode.ts'
import { resolveOptions } from '../src/modes/settings.ts'
import { readView } from '../src/view/parse.ts'
import type { View } from '../src/view/view.ts'
import { parseXml } from '../src/view/xml.ts'
import { middle, printTable } from './print-table.ts'
import { profile } from './profile.ts'

interface Measured {
  readonly bytes: number
  /** Milliseconds of CPU time. */
  readonly floor: number
  readonly parse: number
  readonly render: number
  readonly rendered: number
  /** KiB. */
  readonly memory: number
}

const LARGEST = 5_000
const SIZES = [625, 1_250, 2_500, LARGEST]
const ROUNDS = 3

const [, , only] = argv
if (only === 'profile') {
  const cloud = cloudOf(LARGEST)
  const shares = await profile(() => {
    for (let round = 0; round < ROUNDS; round += 1) renderAll(cloud, readView(cloud.text, 'view.xml').view)
  })
  const all = shares.reduce((sum, { self }) => sum + self, 0)
  stdout.write(`${LARGEST} instances; ${Math.round(all)} ms sampled; load ${loadavg()[0]?.toFixed(2)}\n`)
  const share = (self: number) => `${((100 * self) / all).toFixed(1)} %`
  printTable(
    ['function, file', 'ms', 'share'],
    shares.slice(0, 20).map(({ where, self }) => [where, self.toFixed(0), share(self)]),
  )
} else if (only === undefined) {
  const rows = SIZES.map((instances) => {
    const runs = Array.from({ length: ROUNDS }, () => inProcessOfItsOwn(instances))
    const part = (name: keyof Measured) => middle(runs.map((run) => run[name]))
    const all = middle(runs.map(({ parse, render }) => parse + render))
    const times = [part('floor'), part('parse'), part('render')].map((time) => (time / 1_000).toFixed(2))
    return [
      `${instances}, ${instances / 5}, ${instances / 25}`,
      mebibytes(part('bytes')),
      ...times,
      mebibytes(part('rendered')),
      (all / instances).toFixed(2),
      Math.round(part('memory') / 1024).toString(),
    ]
  })
  stdout.write(`medians of ${ROUNDS} runs; CPU seconds; MiB; load ${loadavg()[0]?.toFixed(2)}\n`)
  const head = ['instances, groups, nodes', 'view', 'floor', 'parse and check', 'render', 'rendered']
  printTable([...head, 'ms for an instance', 'peak memory'], rows)
} else {
  stdout.write(JSON.stringify(measure(Number(only))))
}

function inProcessOfItsOwn(instances: number): Measured {
  const file = fileURLToPath(import.meta.url)
  return JSON.parse(execFileSync(execPath, [file, String(instances)], { encoding: 'utf8' })) as Measured
}

interface Cloud {
  readonly plan: LabPlan
  readonly text: string
}

function cloudOf(count: number): Cloud {
  const plan = planOf(count)
  const world = worldOf(count)
  return { plan, text: renderView(plan, world, addressBook(plan)(world)) }
}

function measure(count: number): Measured {
  const cloud = cloudOf(count)
  const { text } = cloud
  const floor = timed(() => parseXml(text)).time
  const read = timed(() => readView(text, 'view.xml').view)
  const render = timed(() => renderAll(cloud, read.value))
  return {
    bytes: text.length,
    floor,
    parse: read.time,
    render: render.time,
    rendered: render.value,
    memory: resourceUsage().maxRSS,
  }
}

/** Characters of all bundles. */
function renderAll({ plan }: Cloud, view: View): number {
  const mode = modeNamed('EDGE', 'view.xml')
  const templates = packageTemplates()
  const said = { value: 'br0', where: 'here' }
  const { options } = resolveOptions(dutyOf(mode, 'nc').options, { VNET_BRIDGE: said, VNET_PUBINTERFACE: said }, {})
  return plan.nodes.reduce((sum, { name, address }) => {
    const facts = { interfaces: { br0: { mac: '02:00:00:00:00:52', addresses: [`${address}/16`] } } }
    const node = { name, address, role: 'nc', options, profile: 'compatible', persist: false } as const
    const { files } = compile({ view, mode, node, facts, templates })
    return sum + files.reduce((size, { text }) => size + text.length, 0)
  }, 0)
}

function timed<T>(work: () => T): { readonly value: T; readonly time: number } {
  const before = cpuUsage()
  const value = work()
  const { user, system } = cpuUsage(before)
  return { value, time: (user + system) / 1_000 }
}

function planOf(count: number): LabPlan {
  const plan = planLab({ nodes: count / 25 })
  // The lab's clusters have room for a thousand instances.
  const clusters = plan.clusters.map((cluster) => ({
    ...cluster,
    lastInstance: addressAfter(cluster.firstInstance, 2 * count),
  }))
  return { ...plan, clusters }
}

/** 25 instances on a node, 5 in a group; groups of 4 rules, one of which names another group. */
function worldOf(count: number): World {
  const groups = count / 5
  const group = (index: number) => `sg-${(0x20000000 + (index % groups)).toString(16)}`
  const node = (index: number) => `nc-${String(1 + (index % (count / 25))).padStart(2, '0')}`
  return {
    instances: Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `i-${(0x10000000 + index).toString(16)}`,
        { node: node(index), groups: [group(index)] },
      ]),
    ),
    groups: Object.fromEntries(
      Array.from({ length: groups }, (_, index) => [
        group(index),
        [
          'tcp 22 from anywhere',
          'icmp 8/0 from anywhere',
          `tcp ${9000 + index} from 198.51.100.0/24`,
          `tcp 5432 from ${group(index + 1)}`,
        ],
      ]),
    ),
  }
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1)
}
