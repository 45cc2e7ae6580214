/**
 * known_hosts as sshd(8) and OpenSSH's client read it: which lines speak of a host, and what they say of a key.
 *
 * As there: a line that cannot be read says nothing, a revoked key is refused whatever other lines say, one line with
 * the very key is enough, and a port other than 22 is part of the name. Host certificates are not supported, so
 * `@cert-authority` lines trust nobody here.
 */

import { createHmac } from 'node:crypto'
import { keyType } from './fingerprint.ts'

export interface KnownHost {
  readonly file: string
  readonly line: number
  readonly marker: Marker | undefined
  /** The first field as written: comma-separated patterns, or one hashed name. */
  readonly names: string
  readonly type: string
  readonly key: Buffer
}

type Marker = '@revoked' | '@cert-authority'

export type HostKeyVerdict =
  | { readonly is: 'known' | 'revoked' | 'changed'; readonly by: KnownHost }
  /** `authority` is set when certificates are all we know of the host. */
  | { readonly is: 'unknown'; readonly authority: KnownHost | undefined }

/** The lines of a file, so that those of one host among thousands are found at once. */
export interface KnownHosts {
  /** Lines that name hosts as they are, by each name in small letters. */
  readonly plain: ReadonlyMap<string, readonly KnownHost[]>
  /** Lines of patterns and of hashed names: each has to be looked at. */
  readonly others: readonly KnownHost[]
}

export function parseKnownHosts(text: string, file: string): KnownHosts {
  const plain = new Map<string, KnownHost[]>()
  const others: KnownHost[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const entry = parseLine(line.trim(), file, index + 1)
    if (entry && /[|*?!]/.test(entry.names)) others.push(entry)
    else if (entry) {
      for (const name of new Set(entry.names.toLowerCase().split(','))) {
        const known = plain.get(name)
        if (known) known.push(entry)
        else plain.set(name, [entry])
      }
    }
  }
  return { plain, others }
}

/** The lines that speak of this host, in their order; the other functions want only these. */
export function selectKnownHosts({ plain, others }: KnownHosts, host: string, port: number): readonly KnownHost[] {
  const name = knownHostName(host, port)
  const found = [...(plain.get(name) ?? []), ...others.filter((entry) => matchesNames(entry.names, name))]
  return found.toSorted((a, b) => a.line - b.line)
}

/** The name under which OpenSSH files a host. */
export function knownHostName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`
}

export function checkHostKey(entries: readonly KnownHost[], key: Buffer): HostKeyVerdict {
  const revoked = entries.find((entry) => entry.marker === '@revoked' && entry.key.equals(key))
  if (revoked) return { is: 'revoked', by: revoked }

  const plain = entries.filter((entry) => entry.marker === undefined)
  const same = plain.find((entry) => entry.key.equals(key))
  if (same) return { is: 'known', by: same }

  const other = plain.find((entry) => entry.type === keyType(key)) ?? plain[0]
  if (other) return { is: 'changed', by: other }
  return { is: 'unknown', authority: entries.find((entry) => entry.marker === '@cert-authority') }
}

function parseLine(line: string, file: string, number: number): KnownHost | undefined {
  const fields = line.split(/[ \t]+/)
  const marker = line.startsWith('@') ? parseMarker(fields.shift()) : undefined
  const [names = '', type = '', encoded = ''] = fields
  if (/^[#@]/.test(line) && marker === undefined) return undefined

  const key = Buffer.from(encoded, 'base64')
  return keyType(key) === type ? { file, line: number, marker, names, type, key } : undefined
}

function parseMarker(text: string | undefined): Marker | undefined {
  return text === '@revoked' || text === '@cert-authority' ? text : undefined
}

function matchesNames(names: string, name: string): boolean {
  if (names.startsWith('|')) return matchesHash(names, name)

  const patterns = names.split(',')
  const refused = patterns.some((pattern) => pattern.startsWith('!') && matchesPattern(pattern.slice(1), name))
  return !refused && patterns.some((pattern) => matchesPattern(pattern, name))
}

function matchesHash(names: string, name: string): boolean {
  const [, scheme, salt = '', hash = ''] = names.split('|')
  if (scheme !== '1') return false
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest().equals(Buffer.from(hash, 'base64'))
}

/** Only `*` and `?` are special, so `[` and `]` around a host with a port are themselves. */
function matchesPattern(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 'i').test(name)
}
