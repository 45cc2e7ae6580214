// A virtual machine: a host of its own whose eth0 is the far end of a port of its node's bridge, named and set as
// the node controller does it. It gets its address from whatever DHCP server answers it, as a real one would.

import { type Host, openHost } from './open-host.ts'
import { type ProbeOptions, type Probes, probesFrom, type Station } from './probes-from.ts'
import { type Lease, requestLease } from './request-lease.ts'
import { catchAllPort, machineScript } from './set-up-scripts.ts'
import { type Agent, startAgent } from './start-agent.ts'
import { writeScript } from './write-files.ts'

export interface Machine extends Station {
  readonly id: string
  /** Name of the node it runs on. */
  readonly node: string
  readonly mac: string
  /** The port of the node's bridge. */
  readonly port: string
  /** Asks for a lease once more and uses it; undefined if nobody answers within three tries of one second. */
  readonly dhcp: () => Promise<Lease | undefined>
  /** From now on frames leave with this MAC, until restore(). */
  readonly forgeMac: (mac: string) => Promise<void>
  /** From now on probes leave with this source address, until restore(). */
  readonly forgeAddress: (address: string) => Promise<void>
  readonly restore: () => Promise<void>
  /** From now on the port, TCP and UDP, refuses; all others answer. */
  readonly close: (port: number) => Promise<void>
}

export interface MachinePlan {
  readonly id: string
  readonly mac: string
  readonly node: Host
  /** The node's bridge that it is plugged into. */
  readonly bridge: string
  /** The lab's directory. */
  readonly directory: string
}

/** Starts the machine and plugs it in; it has no address until dhcp(). */
export async function bootMachine(plan: MachinePlan): Promise<Machine> {
  const { id, mac, node, directory } = plan
  const port = portName(id)
  const host = await openHost(id, { machinery: node.machinery })
  try {
    await node.plug(
      [
        `link add ${port} type veth peer name eth0 address ${mac} netns ${host.pid}`,
        `link set ${port} master ${plan.bridge} up`,
        `link set ${port} type bridge_slave hairpin on\n`,
      ].join('\n'),
    )
    await host.setUp(await writeScript(directory, id, machineScript(id)))
    const agent = await startAgent(host, [catchAllPort])
    return { ...host, ...guest(host, agent, plan), id, node: node.name, mac, port }
  } catch (error) {
    await host.stop()
    throw error
  }
}

type Guest = Probes & Pick<Machine, 'dhcp' | 'forgeMac' | 'forgeAddress' | 'restore' | 'close' | 'stop'>

function guest(host: Host, agent: Agent, { mac, node, directory, id }: MachinePlan): Guest {
  const probes = probesFrom(host, 'eth0', async () => agent)
  let forged: string | undefined
  const sender = (options: ProbeOptions = {}): ProbeOptions => (forged ? { from: forged, ...options } : options)

  async function forgeAddress(address: string): Promise<void> {
    await host.run(['ip', 'addr', 'replace', `${address}/32`, 'dev', 'eth0'])
    forged = address
  }

  async function restore(): Promise<void> {
    await host.run(['ip', 'link', 'set', 'eth0', 'address', mac])
    if (forged) await host.run(['ip', 'addr', 'del', `${forged}/32`, 'dev', 'eth0'])
    forged = undefined
  }

  async function close(port: number): Promise<void> {
    const rules = ['tcp', 'udp'].map((protocol) => `-I PREROUTING -p ${protocol} --dport ${port} -j ACCEPT`)
    await host.run(['iptables-restore', '--noflush'], { stdin: ['*nat', ...rules, 'COMMIT', ''].join('\n') })
  }

  // The port goes first: the kernel takes apart a namespace's interfaces only some time after its end.
  async function stop(): Promise<void> {
    await node.exec(['ip', 'link', 'del', portName(id)])
    await host.stop()
  }

  return {
    flood: probes.flood,
    sink: async (port) => {
      await close(port)
      return await probes.sink(port)
    },
    tcp: (to, port, options) => probes.tcp(to, port, sender(options)),
    udp: (to, port, options) => probes.udp(to, port, sender(options)),
    ping: (to, options) => probes.ping(to, sender(options)),
    arp: (address, options) => probes.arp(address, sender(options)),
    hold: (to, port, options) => probes.hold(to, port, sender(options)),
    dhcp: () => requestLease(host, directory),
    forgeMac: async (forgedMac) => void (await host.run(['ip', 'link', 'set', 'eth0', 'address', forgedMac])),
    forgeAddress,
    restore,
    close,
    stop,
  }
}

/** `vn_` and the id up to eight characters after `i-`, as the node controller names it. */
function portName(id: string): string {
  return `vn_${id.slice(0, 10)}`
}
