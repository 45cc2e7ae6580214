// A node of the lab as a test holds it: it stays the same across reboots, whatever process it is at the moment.

import type { NodePlan } from './plan-lab.ts'
import type { Station } from './probes-from.ts'
import { switchPort } from './set-up-scripts.ts'

export interface LabNode extends Station, Omit<NodePlan, 'name'> {
  /** Pulls the node's cables: it cannot be reached and reaches nobody, but runs on. */
  readonly cut: () => Promise<void>
  /** Settles when the admin host reaches the node again. */
  readonly mend: () => Promise<void>
  /** A power cut (reboot-node.ts). Its machines are gone; it settles when sshd listens again. */
  readonly reboot: () => Promise<void>
}

export interface NodeParts {
  readonly plan: NodePlan
  readonly current: () => Station
  readonly switches: Station
  readonly admin: Station
  readonly reboot: () => Promise<void>
}

export function makeNode({ plan, current, switches, admin, reboot }: NodeParts): LabNode {
  const ports = plan.legs.map((leg) => switchPort(plan.name, leg.device))
  const setPorts = (state: 'up' | 'down') => switches.plug(ports.map((port) => `link set ${port} ${state}\n`).join(''))

  async function mend(): Promise<void> {
    await setPorts('up')
    await admin.run(`for _ in $(seq 10); do busybox ping -q -c 1 -W 1 ${plan.address} && exit 0; done; exit 1`)
  }

  return {
    ...plan,
    get pid() {
      return current().pid
    },
    machinery: current().machinery,
    run: (...call) => current().run(...call),
    exec: (...call) => current().exec(...call),
    spawn: (...call) => current().spawn(...call),
    kill: (...call) => current().kill(...call),
    spawnWithOurFiles: (...call) => current().spawnWithOurFiles(...call),
    plug: (...call) => current().plug(...call),
    setUp: (...call) => current().setUp(...call),
    stop: () => current().stop(),
    tcp: (...call) => current().tcp(...call),
    udp: (...call) => current().udp(...call),
    ping: (...call) => current().ping(...call),
    arp: (...call) => current().arp(...call),
    hold: (...call) => current().hold(...call),
    flood: (...call) => current().flood(...call),
    sink: (...call) => current().sink(...call),
    cut: () => setPorts('down'),
    mend,
    reboot,
  }
}
