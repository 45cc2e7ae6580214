/** A jump host as it is written, in an inventory and behind ProxyJump: HOST, USER@HOST, HOST:PORT, [ADDRESS]:PORT. */

export interface Hop {
  readonly host: string
  readonly user: string | undefined
  readonly port: number | undefined
}

const WRITTEN = /^(?:ssh:\/\/)?(?:(?<user>[^@]+)@)?(?:\[(?<address>[^\]]+)\]|(?<name>[^:[\]]+))(?::(?<port>\d+))?$/

/** Undefined when it is none. */
export function parseHop(word: string): Hop | undefined {
  const { user, address, name, port } = WRITTEN.exec(word)?.groups ?? {}
  const host = address ?? name
  if (host === undefined || host.startsWith('-') || user?.startsWith('-')) return undefined
  return { host, user, port: port === undefined ? undefined : Number(port) }
}
