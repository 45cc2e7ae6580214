/**
 * SSH by the system's `ssh`, for what only that can: certificates, hardware keys, GSSAPI, anything of ssh_config(5). One
 * process holds the connection to a node for as long as it is open, and one that to a jump host for all nodes behind it.
 */

import { openHops } from './hops.ts'
import { nameHop, toHop } from './jump-host.ts'
import type { AskConfig } from './openssh-config.ts'
import { OpenSshConnection } from './openssh-connection.ts'
import { socketFolder } from './openssh-folder.ts'
import { type Behind, type Master, startMaster } from './openssh-master.ts'
import { patiently } from './patience.ts'
import { nameEndpoint } from './socket.ts'
import type { Target, Transport } from './transport.ts'
import type { Turns } from './turns.ts'

export interface OpenSshTransport extends Transport {
  /** Ends all its processes. */
  close(): void
}

/** Targets are complete. */
export function openSshTransport(ask: AskConfig, turns: Turns): OpenSshTransport {
  const folder = socketFolder()
  const hops = openHops(start, (master) => master.gone)

  async function start(target: Target): Promise<Master> {
    const hop = await toHop(target, ask)
    const turn = hop ? nameHop(hop) : `${target.host}:${target.port}`
    return await patiently(target, async (time) => {
      const began = performance.now()
      const behind: Behind | undefined = hop && { target: hop, master: await hops.connect(hop) }
      time.forgive(performance.now() - began)
      return await turns.atHop(turn, target.handshakes, time, () => {
        return turns.here(time, () => startMaster(target, folder.next(), behind, time))
      })
    })
  }

  return {
    async connect(target) {
      const master = await start(target)
      return new OpenSshConnection(master, nameEndpoint(target), target.become && target.user)
    },
    close() {
      for (const hop of hops.all()) hop.then((master) => master.end()).catch(() => undefined)
      folder.remove()
    },
  }
}
