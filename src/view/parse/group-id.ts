/**
 * What a group is called in everything we render, where its name is that of a chain (28 characters at most) and of a set.
 *
 * An id as clouds have given since 4.0, `sg-` and what follows, is taken as it is. Any other name (a UUID, as old clouds
 * have them; `default`; one that is too long) becomes `sg-n` and the beginning of its SHA-256: always the same, the same
 * on every node, recognised as ours by its beginning, and nobody's id, because ids go on in hexadecimal digits.
 */

import { createHash } from 'node:crypto'

const CHAIN = /^sg-[A-Za-z0-9._-]{1,25}$/

/** Undefined for what no cloud calls a group. */
export function groupId(name: string): string | undefined {
  if (CHAIN.test(name)) return name
  if (!/^[A-Za-z0-9][A-Za-z0-9._:-]{0,126}$/.test(name)) return undefined
  return `sg-n${createHash('sha256').update(name).digest('hex').slice(0, 20)}`
}
