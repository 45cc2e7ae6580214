// A lab: a small cloud of namespaces on this machine, with real sshd, dhcpd, bridges, packet filters and packets.
// Nothing of it is visible from this machine's own namespaces, and nothing of it outlives this process (open-host.ts).
//
// With a guest all of it is in there but the admin host, which is the one that qemu runs in: the CLI is not slowed down.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Guest, type GuestPlan, guestCable, startGuest } from './guest/start-guest.ts'
import { loadBridgeFilter, loadVlans } from './lab-missing.ts'
import { thisMachine } from './machinery.ts'
import { type Lab, makeLab } from './make-lab.ts'
import { makeStation } from './make-station.ts'
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
  if (plan.mode === 'MANAGED') loadVlans()

  async function stop(): Promise<void> {
    await Promise.all([...opened.values()].map((host) => host.stop()))
    await rm(directory, { recursive: true, force: true })
  }

  try {
    const guest = options.guest === true ? await startGuest(guestPlan(plan, directory)) : undefined
    if (guest) opened.set(plan.admin.name, guest.outer)
    onStep(`opening ${plan.nodes.length} nodes, cloud controller, router, outside host and admin host`)
    const machinery = guest?.machinery ?? thisMachine
    const open = async (name: string) =>
      opened.set(name, await openHost(name, { ...hostOptions(name, directory, guest), machinery }))
    const names = ['switch', ...everyHost(plan).map(({ name }) => name)].filter((name) => !opened.has(name))
    const [files] = await allEnded([writeFiles(directory, plan, view), ...names.map(open)])
    onStep('plugging cables, starting sshd')
    const stations = await setUpAll(plan, opened, directory, guest)
    onStep(`ready: ${directory}`)
    const reboot = rebooter(plan, opened, directory)
    return makeLab({ plan, files, world, place, stations, reboot, stop })
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

function guestPlan(plan: LabPlan, directory: string): GuestPlan {
  return {
    name: plan.admin.name,
    options: { ...hostOptions(plan.admin.name, directory), removeAtEnd: directory },
    directory,
    network: '10.111.0.0/16',
    address: plan.admin.address,
    reached: [...plan.nodes, ...plan.controllers, plan.clc].map(({ address }) => address),
  }
}

// The admin host runs the CLI: it needs this Node.js, and a home that is not anybody's.
function hostOptions(name: string, directory: string, guest?: Guest): HostOptions {
  if (name === 'switch') return guest ? {} : { removeAtEnd: directory }
  if (name !== 'admin') return {}
  const path = `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`
  return { env: { PATH: path, HOME: join(directory, 'admin') } }
}

async function setUpAll(
  plan: LabPlan,
  opened: ReadonlyMap<string, Host>,
  directory: string,
  guest: Guest | undefined,
): Promise<Map<string, Station>> {
  const wired = everyHost(plan).filter(({ name }) => opened.get(name) !== guest?.outer)
  const wires = wired.map((host) => cables(host, opened.get(host.name)?.pid ?? 0))
  await guest?.inside.plug(`link set ${guestCable} netns ${opened.get('switch')?.pid ?? 0}\n`)
  const cable = guest ? `link set ${guestCable} master public up\n` : ''
  await opened.get('switch')?.plug(switches(plan.switches) + cable + wires.join(''))
  const set = (host: Host) => (host === guest?.outer ? makeStation(host, 'lo') : setUpHost(host, plan, directory))
  const stations = await Promise.all([...opened.values()].map(set))
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
