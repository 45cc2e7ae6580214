// What a test or the demo does with a lab that is up.

import { join } from 'node:path'
import { bootMachine, type Machine } from './boot-machine.ts'
import type { ExecOptions, Finished } from './commands-in.ts'
import { type LabNode, makeNode } from './make-node.ts'
import type { LabPlan } from './plan-lab.ts'
import type { ProbeOptions, Station } from './probes-from.ts'
import { type Place, type PlacedInstance, renderView } from './render-view.ts'
import { packageRoot, type Reach } from './start-agent.ts'
import type { World } from './world.ts'
import { type LabFiles, viewFile } from './write-files.ts'

interface BootOptions {
  /** false: plug in only, ask for no address (Machine.dhcp does later). Otherwise no lease is a failure. */
  readonly dhcp?: boolean
}

interface Probe {
  /** An instance id, a node's name, outside, clc-01, admin or router. */
  readonly from: string
  /** An address, or an instance id for its private address. */
  readonly to: string
  /** tcp 22, udp 53 or icmp. */
  readonly what: string
  readonly options?: ProbeOptions
}

export interface Lab {
  readonly plan: LabPlan
  readonly files: LabFiles
  readonly nodes: readonly LabNode[]
  readonly node: (name: string) => LabNode
  /** Cluster controllers, in a mode that has them. */
  readonly controller: (name: string) => Station
  /** Between all of them; a host's cable ends in a port such as `nc-01.eth0`. */
  readonly switches: Station
  readonly clc: Station
  readonly router: Station
  readonly outside: Station
  readonly admin: Station
  /** The machines that are running, by instance id. */
  readonly machines: ReadonlyMap<string, Machine>
  /** What is published now. */
  readonly world: () => World
  /** Where an instance of the published world is, and which addresses it has. */
  readonly instance: (id: string) => PlacedInstance
  readonly view: (world: World) => string
  /** Puts the world's view on the cloud controller, by rename, and makes it the one that boot goes by. */
  readonly publish: (world: World) => Promise<void>
  readonly boot: (id: string, options?: BootOptions) => Promise<Machine>
  /** Sends all of them at once; the answers in the same order. */
  readonly matrix: (probes: readonly Probe[]) => Promise<readonly (Probe & Reach)[]>
  /** The CLI as built in dist/, run on the admin host in the lab's directory. */
  readonly edgepush: (argv: readonly string[], options?: ExecOptions) => Promise<Finished>
  readonly stop: () => Promise<void>
}

export interface LabParts {
  readonly plan: LabPlan
  readonly files: LabFiles
  readonly world: World
  readonly place: Place
  readonly stations: Map<string, Station>
  /** Ends the node and starts it again, as another process. */
  readonly reboot: (node: string) => Promise<Station>
  /** Ends every host but the machines. */
  readonly stop: () => Promise<void>
}

export function makeLab(parts: LabParts): Lab {
  const { plan, files, place, stations } = parts
  const machines = new Map<string, Machine>()
  let published = parts.world

  const station = (name: string): Station => found(machines.get(name) ?? stations.get(name), name)
  const admin = station(plan.admin.name)
  const nodes = plan.nodes.map((node) =>
    makeNode({
      plan: node,
      current: () => station(node.name),
      switches: station('switch'),
      admin,
      reboot: () => reboot(node.name),
    }),
  )
  const clc = station(plan.clc.name)
  const node = (name: string) =>
    found(
      nodes.find((one) => one.name === name),
      name,
    )
  const instance = (id: string) =>
    found(
      place(published).find((placed) => placed.id === id),
      id,
    )
  const view = (world: World) => renderView(plan, world, place(world))

  async function publish(world: World): Promise<void> {
    await clc.run(`cat > ${viewFile}.new && mv ${viewFile}.new ${viewFile}`, { stdin: view(world) })
    published = world
  }

  async function boot(id: string, options: BootOptions = {}): Promise<Machine> {
    const { mac, node: home, groups } = instance(id)
    const bridge = plan.mode === 'MANAGED' ? (groups[0] ?? '') : 'br0'
    if (machines.has(id)) throw new Error(`${id} is running already`)
    const booted = await bootMachine({ id, mac, bridge, node: station(home.name), directory: files.directory })
    const machine: Machine = {
      ...booted,
      stop: async () => {
        machines.delete(id)
        await booted.stop()
      },
    }
    machines.set(id, machine)
    if (options.dhcp === false || (await machine.dhcp())) return machine
    await machine.stop()
    throw new Error(`no DHCP server on ${home.name} answered ${id}`)
  }

  async function reboot(name: string): Promise<void> {
    const lost = [...machines.values()].filter((machine) => machine.node === name)
    await Promise.all(lost.map((machine) => machine.stop()))
    stations.set(name, await parts.reboot(name))
  }

  async function edgepush(argv: readonly string[], options: ExecOptions = {}): Promise<Finished> {
    const cli = join(packageRoot(), 'dist', 'cli.js')
    return await admin.exec([process.execPath, cli, ...argv], { cwd: files.directory, ...options })
  }

  async function stop(): Promise<void> {
    await Promise.all([...machines.values()].map((machine) => machine.stop()))
    await parts.stop()
  }

  return {
    plan,
    files,
    nodes,
    node,
    controller: station,
    switches: station('switch'),
    clc,
    admin,
    router: station(plan.router.name),
    outside: station(plan.outside.name),
    machines,
    world: () => published,
    instance,
    view,
    publish,
    boot,
    matrix: (probes) => Promise.all(probes.map((probe) => send(probe, station(probe.from), addressOf(probe.to)))),
    edgepush,
    stop,
  }

  function addressOf(to: string): string {
    return to.startsWith('i-') ? instance(to).address : to
  }
}

async function send(probe: Probe, from: Station, to: string): Promise<Probe & Reach> {
  const [protocol, port] = probe.what.split(' ')
  if (protocol === 'icmp') return { ...probe, ...(await from.ping(to, probe.options)) }
  if (protocol !== 'tcp' && protocol !== 'udp') throw new Error(`not a probe: ${probe.what}`)
  return { ...probe, ...(await from[protocol](to, Number(port), probe.options)) }
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the lab has no ${what}`)
  return value
}
