// What a power cut does to a node: every process, rule, set, address and everything under /run is gone, at once and
// unasked; /var/lib/edgepush, /etc/eucalyptus and /etc/systemd are as they were; the boot id is another one. There is no
// systemd that would start anything.

import { type Host, openHost } from './open-host.ts'
import type { LabPlan, NodePlan } from './plan-lab.ts'
import type { Station } from './probes-from.ts'
import { setUpHost } from './set-up-host.ts'
import { cables, switchPort } from './set-up-scripts.ts'

const save = 'tar -C / -cf - var/lib/edgepush etc/eucalyptus etc/systemd 2>/dev/null | base64'
const restore = 'base64 -d | tar -C / -xf -'

export async function rebootNode(
  old: Host,
  node: NodePlan,
  switches: Host,
  plan: LabPlan,
  directory: string,
): Promise<Station> {
  const disk = await old.run(save)
  await switches.plug(node.legs.map((leg) => `link del ${switchPort(node.name, leg.device)}\n`).join(''))
  await old.stop()

  const host = await openHost(node.name, { machinery: old.machinery })
  try {
    await switches.plug(cables(node, host.pid))
    const station = await setUpHost(host, plan, directory)
    await station.run(restore, { stdin: disk })
    return station
  } catch (error) {
    await host.stop()
    throw error
  }
}
