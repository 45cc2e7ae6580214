// A host of the lab with its probes. Its agent starts with the first probe, or at once if it has to listen.

import type { Host } from './open-host.ts'
import { probesFrom, type Station } from './probes-from.ts'
import { type Agent, startAgent } from './start-agent.ts'

export async function makeStation(host: Host, device: string, listenOn: readonly number[] = []): Promise<Station> {
  let agent: Promise<Agent> | undefined
  const agentOnce = () => {
    agent ??= startAgent(host, listenOn)
    return agent
  }
  if (listenOn.length > 0) await agentOnce()
  return { ...host, ...probesFrom(host, device, agentOnce) }
}
