/** A TCP listener for what sshd does not do by itself: to be silent, to babble, to reset a connection. */

import { connect, createServer, type Server, type Socket } from 'node:net'

export interface Listener {
  readonly port: number
  /** Ends every connection by RST. */
  reset(): void
  stop(): Promise<void>
}

export async function listen(host: string, serve: (socket: Socket) => void): Promise<Listener> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  return {
    port: portOf(server),
    reset() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Passes everything on to another port, until it is told to reset. */
export function relay(host: string, port: number): Promise<Listener> {
  return listen(host, (socket) => passOn(socket, host, port))
}

export function passOn(socket: Socket, host: string, port: number): void {
  const upstream = connect(port, host)
  upstream.on('error', () => socket.destroy())
  socket.on('close', () => upstream.destroy())
  socket.pipe(upstream).pipe(socket)
}

/** A port nobody listens on. */
export async function findPort(host: string): Promise<number> {
  const listener = await listen(host, () => {})
  await listener.stop()
  return listener.port
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
