// A lab: a small cloud of namespaces on this machine, with real sshd, dhcpd, bridges, packet filters and packets.
// Nothing of it is visible from this machine's own namespaces, and nothing of it outlives this process (open-host.ts).

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { loadBridgeFilter } from './lab-missing.ts'
import { type Lab, makeLab } from './make-lab.ts'
import { makeStation } from './make-station.ts'
import { type Host, type HostOptions, openHost } from './open-host.ts'
import { type HostPlan, type LabOptions, type LabPlan, planLab } from './plan-lab.ts'
import type { Station } from './probes-from.ts'
import { addressBook, renderView } from './render-view.ts'
import * as scripts from './set-up-scripts.ts'
import { sampleWorld } from './world.ts'
import { type LabFiles, writeFiles, writeScript } from './write-files.ts'

const metadataPort = 8773

export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const onStep = options.onStep ?? (() => {})
  loadBridgeFilter()
  const plan = planLab(options)
  const place = addressBook(plan)
  const world = options.world ?? sampleWorld(plan.nodes.map(({ name }) => name))
  const view = renderView(plan, world, place(world))
  const directory = await mkdtemp(join(tmpdir(), 'edgepush-lab-'))
  const opened: Host[] = []

  async function stop(): Promise<void> {
    await Promise.all(opened.map((host) => host.stop()))
    await rm(directory, { recursive: true, force: true })
  }

  try {
    onStep(`opening ${plan.nodes.length} nodes, cloud controller, router, outside host and admin host`)
    const open = async (name: string) => opened.push(await openHost(name, hostOptions(name, directory)))
    const [files] = await allEnded([
      writeFiles(directory, plan, view),
      open('switch'),
      ...everyHost(plan).map(({ name }) => open(name)),
    ])
    onStep('plugging cables, starting sshd')
    const stations = await setUp(plan, files, opened)
    onStep(`ready: ${directory}`)
    return makeLab({ plan, files, world, place, stations, stop })
  } catch (error) {
    await stop()
    throw error
  }
}

/** Promise.all that fails only when nothing is still under way, so that stop() finds everything that was opened. */
async function allEnded<T extends readonly Promise<unknown>[]>(tasks: readonly [...T]) {
  await Promise.allSettled(tasks)
  return await Promise.all(tasks)
}

function everyHost(plan: LabPlan): readonly HostPlan[] {
  return [...plan.nodes, plan.clc, plan.router, plan.outside, plan.admin]
}

// The admin host runs the CLI: it needs this Node.js, and a home that is not anybody's.
function hostOptions(name: string, directory: string): HostOptions {
  if (name === 'switch') return { removeAtEnd: directory }
  if (name !== 'admin') return {}
  const path = `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`
  return { env: { PATH: path, HOME: join(directory, 'admin') } }
}

async function setUp(plan: LabPlan, files: LabFiles, hosts: readonly Host[]): Promise<ReadonlyMap<string, Station>> {
  const byName = new Map(hosts.map((host) => [host.name, host]))
  const named = (name: string): Host => {
    const host = byName.get(name)
    if (!host) throw new Error(`the lab has no host ${name}`)
    return host
  }
  await named('switch').plug(scripts.cabling(plan, everyHost(plan), (name) => named(name).pid))

  const texts = new Map<string, string>([
    ['switch', scripts.switchScript()],
    ...plan.nodes.map((node) => [node.name, scripts.nodeScript(node, join(files.directory, node.name))] as const),
    [plan.clc.name, scripts.controllerScript(plan.clc, join(files.directory, plan.clc.name))],
    [plan.router.name, scripts.routerScript(plan.router)],
    [plan.outside.name, scripts.outsideScript(plan.outside)],
    [plan.admin.name, scripts.adminScript(plan.admin)],
  ])
  const listening: Readonly<Record<string, readonly number[]>> = {
    [plan.clc.name]: [metadataPort],
    [plan.outside.name]: [scripts.catchAllPort],
  }
  const stations = await Promise.all(
    [...texts].map(async ([name, text]) => {
      const started = makeStation(named(name), deviceOf(name), listening[name])
      await named(name).setUp(await writeScript(files.directory, name, text))
      return [name, await started] as const
    }),
  )
  return new Map(stations)
}

function deviceOf(name: string): string {
  if (name.startsWith('nc-')) return 'br0'
  return name === 'router' ? 'pub' : 'eth0'
}
