// Datagrams to the letter: so many, so long, from this address and port. Nobody waits for an answer to them.

import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Station } from '../../lab/probes-from.ts'

interface Datagrams {
  readonly to: string
  readonly port: number
  readonly sourcePort?: number
  /** The sender must have it (see Machine.forgeAddress). */
  readonly from?: string
  readonly count?: number
  /** Bytes of each, without headers. */
  readonly size?: number
}

/** What the network adds to a datagram. */
export const HEADERS = 28

const sender = `
const { to, port, sourcePort = 0, from, count = 1, size = 4 } = JSON.parse(process.argv[1])
const socket = require('node:dgram').createSocket('udp4')
socket.bind({ port: sourcePort, address: from, exclusive: true }, async () => {
  for (let sent = 0; sent < count; sent += 1) {
    await new Promise((done, failed) => socket.send(Buffer.alloc(size), port, to, (error) => (error ? failed(error) : done())))
  }
  socket.close()
})`

/** Settles when all of them have left. */
export async function sendUdp(station: Station, datagrams: Datagrams): Promise<void> {
  const child = station.spawnWithOurFiles([process.execPath, '-e', sender, JSON.stringify(datagrams)])
  const [complaints, [code]] = await Promise.all([child.stderr ? text(child.stderr) : '', once(child, 'close')])
  if (code !== 0) throw new Error(`${station.name} sent nothing: ${complaints}`)
}
