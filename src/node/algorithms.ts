/** What is offered to a server: what the SSH client offers by itself, and behind it what the inventory adds for old ones. */

import type { Algorithms, CipherAlgorithm, KexAlgorithm, MacAlgorithm, ServerHostKeyAlgorithm } from 'ssh2'

/** Only what is added; the words are those of RFC 4253 and of OpenSSH. */
export interface AddedAlgorithms {
  readonly keyExchange: readonly KexAlgorithm[]
  readonly ciphers: readonly CipherAlgorithm[]
  readonly hostKeys: readonly ServerHostKeyAlgorithm[]
  readonly macs: readonly MacAlgorithm[]
}

const NOTHING: AddedAlgorithms = { keyExchange: [], ciphers: [], hostKeys: [], macs: [] }

/** `hostKeys` come first, in their order. */
export function offer(hostKeys: readonly ServerHostKeyAlgorithm[], added: AddedAlgorithms = NOTHING): Algorithms {
  return {
    serverHostKey: withAdded(hostKeys, added),
    kex: append(added.keyExchange),
    cipher: append(added.ciphers),
    hmac: append(added.macs),
  }
}

export function withAdded(
  hostKeys: readonly ServerHostKeyAlgorithm[],
  { hostKeys: added }: AddedAlgorithms = NOTHING,
): ServerHostKeyAlgorithm[] {
  return [...new Set([...hostKeys, ...added])]
}

function append<T>(list: readonly T[]): { append: T[]; prepend: T[]; remove: T[] } {
  return { append: [...list], prepend: [], remove: [] }
}
