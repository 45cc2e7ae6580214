// A lab: a small cloud of namespaces on this machine, with real sshd, dhcpd, bridges, packet filters and packets.
// Nothing of it is visible from this machine's own namespaces, and nothing of it outlives this process (open-host.ts).

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { loadBridgeFilter } from './lab-missing.ts'
import { type Lab, makeLab } from './make-lab.ts'
import { type Host, type HostOptions, openHost } from './open-host.ts'
import { type HostPlan, type LabOptions, type LabPlan, planLab } from './plan-lab.ts'
import type { Station } from './probes-from.ts'
import { rebootNode } from './reboot-node.ts'
import { addressBook, renderView } from './render-view.ts'
import { setUpHost } from './set-up-host.ts'
import { cables, switches } from './set-up-scripts.ts'
import { sampleWorld } from './world.ts'
import { writeFiles } from './write-files.ts'

export async function startLab(options: LabOptions = {}): Promise<Lab> {
  loadBridgeFilter()
  const onStep = options.onStep ?? (() => {})
  const plan = planLab(options)
  const place = addressBook(plan)
  const world = options.world ?? sampleWorld(plan.nodes.map(({ name }) => name))
  const view = renderView(plan, world, place(world))
  const directory = await mkdtemp(join(tmpdir(), 'edgepush-lab-'))
  const opened = new Map<string, Host>()

  async function stop(): Promise<void> {
    await Promise.all([...opened.values()].map((host) => host.stop()))
    await rm(directory, { recursive: true, force: true })
  }

  try {
    onStep(`opening ${plan.nodes.length} nodes, cloud controller, router, outside host and admin host`)
    const open = async (name: string) => opened.set(name, await openHost(name, hostOptions(name, directory)))
    const names = ['switch', ...everyHost(plan).map(({ name }) => name)]
    const [files] = await allEnded([writeFiles(directory, plan, view), ...names.map(open)])
    onStep('plugging cables, starting sshd')
    const stations = await setUpAll(plan, opened, directory)
    onStep(`ready: ${directory}`)
    return makeLab({ plan, files, world, place, stations, reboot: rebooter(plan, opened, directory), stop })
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
  return [...plan.nodes, ...plan.controllers, plan.clc, plan.router, plan.outside, plan.admin]
}

// The admin host runs the CLI: it needs this Node.js, and a home that is not anybody's.
function hostOptions(name: string, directory: string): HostOptions {
  if (name === 'switch') return { removeAtEnd: directory }
  if (name !== 'admin') return {}
  const path = `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`
  return { env: { PATH: path, HOME: join(directory, 'admin') } }
}

async function setUpAll(
  plan: LabPlan,
  opened: ReadonlyMap<string, Host>,
  directory: string,
): Promise<Map<string, Station>> {
  const wires = everyHost(plan).map((host) => cables(host, opened.get(host.name)?.pid ?? 0))
  await opened.get('switch')?.plug(switches(plan.switches) + wires.join(''))
  const stations = await Promise.all([...opened.values()].map((host) => setUpHost(host, plan, directory)))
  return new Map(stations.map((station) => [station.name, station]))
}

function rebooter(plan: LabPlan, opened: Map<string, Host>, directory: string) {
  return async (name: string): Promise<Station> => {
    const [old, switchHost] = [opened.get(name), opened.get('switch')]
    const node = plan.nodes.find((one) => one.name === name)
    if (!old || !switchHost || !node) throw new Error(`the lab has no node ${name}`)
    const station = await rebootNode(old, node, switchHost, plan, directory)
    opened.set(name, station)
    return station
  }
}
