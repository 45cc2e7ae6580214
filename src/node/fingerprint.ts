/** Public keys as they go over the wire (RFC 4253 6.6): a length-prefixed type name, then the numbers. */

import { createHash } from 'node:crypto'

/** As `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** Undefined when these bytes are no key. */
export function keyType(key: Buffer): string | undefined {
  if (key.length < 4) return undefined
  const end = 4 + key.readUInt32BE(0)
  return end < key.length ? key.toString('latin1', 4, end) : undefined
}
