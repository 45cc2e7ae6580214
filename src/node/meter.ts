/** The traffic counters of one node: one round trip, and the node's own metering files are fresh afterwards. */

import { ask, said } from './exchange.ts'
import { NotProbed } from './probe.ts'
import type { Target, Transport } from './transport.ts'

export interface Meter {
  readonly instance: string
  readonly address: string
  readonly network: 'public' | 'private'
  readonly packetsIn: number
  readonly bytesIn: number
  readonly packetsOut: number
  readonly bytesOut: number
}

const TIMEOUT = 60_000

export async function readMeters(transport: Transport, target: Target, script: string): Promise<readonly Meter[]> {
  const connection = await transport.connect(target)
  try {
    const answer = await ask(connection, script, TIMEOUT)
    if (answer.status !== 0) throw new NotProbed(said(answer, 'error').join('; ') || `it ended with ${answer.status}`)
    return said(answer, 'meter').map(toMeter)
  } finally {
    connection.close()
  }
}

function toMeter(text: string): Meter {
  const [instance = '', address = '', kind = '', ...counts] = text.split(' ')
  const [packetsIn = 0, bytesIn = 0, packetsOut = 0, bytesOut = 0] = counts.map(Number)
  const network = kind === 'pub' ? 'public' : 'private'
  return { instance, address, network, packetsIn, bytesIn, packetsOut, bytesOut }
}
