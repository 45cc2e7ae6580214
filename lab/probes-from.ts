// Packets a host of the lab can send, and what became of them. Every probe waits for its answer, and no longer than
// its timeout: nothing is ever slept for.

import type { Host } from './open-host.ts'
import type { Agent, Reach } from './start-agent.ts'

export interface ProbeOptions {
  /** Milliseconds after which a packet counts as dropped; 1000 if not given. */
  readonly timeout?: number
  /** Source address; the host must have it (see Machine.forgeAddress). */
  readonly from?: string
}

/** A connection that stays open across whatever the test does next. */
interface HeldConnection extends Reach {
  /** One more question and answer over the same connection. */
  readonly again: (options?: Pick<ProbeOptions, 'timeout'>) => Promise<Reach>
  readonly close: () => Promise<void>
}

export interface Probes {
  readonly tcp: (to: string, port: number, options?: ProbeOptions) => Promise<Reach>
  readonly udp: (to: string, port: number, options?: ProbeOptions) => Promise<Reach>
  /** One echo request. The answer says nothing about the source the other side saw. */
  readonly ping: (to: string, options?: ProbeOptions) => Promise<Reach>
  /** The MAC that answers for the address, lower case; undefined when none does. */
  readonly arp: (address: string, options?: ProbeOptions) => Promise<string | undefined>
  readonly hold: (to: string, port: number, options?: ProbeOptions) => Promise<HeldConnection>
  /** Sends packets that say `stream`, so many a second. */
  readonly flood: (stream: string, to: string, port: number, rate: number) => Promise<Flood>
  /** From now on the UDP port swallows packets; received tells how many of a stream came. */
  readonly sink: (port: number) => Promise<{ readonly received: (stream: string) => Promise<number> }>
}

/** A stream of packets that nobody answers; each is the first of a new flow to the nodes between. */
interface Flood {
  /** Ends it and tells how many packets left. */
  readonly halt: () => Promise<number>
}

/** A host of the lab with its probes. */
export type Station = Host & Probes

const defaultTimeout = 1_000

export function probesFrom(host: Host, device: string, agent: () => Promise<Agent>): Probes {
  async function ask(action: 'tcp' | 'udp', to: string, port: number, options: ProbeOptions): Promise<Reach> {
    const { ask } = await agent()
    const { id: _, ...reach } = await ask({ action, to, port, ...limits(options) })
    return reach
  }

  async function hold(to: string, port: number, options: ProbeOptions = {}): Promise<HeldConnection> {
    const { ask } = await agent()
    const { id: handle, ...first } = await ask({ action: 'hold', to, port, ...limits(options) })
    return {
      ...first,
      again: async (more = {}) => {
        const { id: _, ...reach } = await ask({ action: 'again', handle, ...limits(more) })
        return reach
      },
      close: async () => {
        await ask({ action: 'release', handle })
      },
    }
  }

  async function ping(to: string, options: ProbeOptions = {}): Promise<Reach> {
    const from = options.from ? ['-I', options.from] : []
    const { code, stderr } = await host.exec(['busybox', 'ping', '-q', '-c', '1', '-W', seconds(options), ...from, to])
    if (code === 0) return { reached: true }
    return { reached: false, why: /unreachable/i.test(stderr) ? 'unreachable' : 'timeout' }
  }

  async function arp(address: string, options: ProbeOptions = {}): Promise<string | undefined> {
    const from = options.from ? ['-s', options.from] : []
    const limits = ['-f', '-c', seconds(options), '-w', seconds(options)]
    const asked = ['busybox', 'arping', ...limits, '-I', device, ...from, address]
    return /\[([0-9a-f:]{17})\]/.exec((await host.exec(asked)).stdout)?.[1]
  }

  async function flood(stream: string, to: string, port: number, rate: number): Promise<Flood> {
    const { ask } = await agent()
    await ask({ action: 'flood', stream, to, port, rate })
    return { halt: async () => (await ask({ action: 'halt', stream })).count ?? 0 }
  }

  async function sink(port: number) {
    const { ask } = await agent()
    await ask({ action: 'sink', port })
    return { received: async (stream: string) => (await ask({ action: 'count', stream })).count ?? 0 }
  }

  return {
    flood,
    sink,
    tcp: (to, port, options = {}) => ask('tcp', to, port, options),
    udp: (to, port, options = {}) => ask('udp', to, port, options),
    ping,
    arp,
    hold,
  }
}

function limits(options: ProbeOptions): { readonly timeout: number; readonly from: string | undefined } {
  return { timeout: options.timeout ?? defaultTimeout, from: options.from }
}

// busybox counts in whole seconds.
function seconds(options: ProbeOptions): string {
  return String(Math.ceil((options.timeout ?? defaultTimeout) / 1_000))
}
