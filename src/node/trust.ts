/** What known_hosts says of all keys that a node offers, and adding to it; a key that is there is never replaced. */

import { chmodSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fingerprint, keyType } from './fingerprint.ts'
import { checkHostKey, type KnownHost, knownHostName } from './known-hosts.ts'
import { NotTrusted, type Target } from './transport.ts'

export interface JudgedKey {
  readonly key: Buffer
  readonly type: string
  readonly fingerprint: string
  readonly is: 'known' | 'unknown' | 'changed' | 'revoked'
  /** The line that says so. */
  readonly by: KnownHost | undefined
}

/** One key that is known vouches for a node: its keys of types that nobody wrote down are then no change. */
export function judgeKeys(known: readonly KnownHost[], keys: readonly Buffer[]): readonly JudgedKey[] {
  const verdicts = keys.map((key) => ({ key, verdict: checkHostKey(known, key) }))
  const isVouchedFor = verdicts.some(({ verdict }) => verdict.is === 'known')
  return verdicts.map(({ key, verdict }) => {
    const common = { key, type: keyType(key) ?? '', fingerprint: fingerprint(key) }
    if (verdict.is === 'unknown') return { ...common, is: 'unknown', by: undefined }
    const isFurther = isVouchedFor && verdict.is === 'changed' && verdict.by.type !== common.type
    return isFurther ? { ...common, is: 'unknown', by: undefined } : { ...common, is: verdict.is, by: verdict.by }
  })
}

/** Whether a connection would be made, none of whose keys is doubtful. */
export function isTrusted(keys: readonly JudgedKey[]): boolean {
  return keys.some(({ is }) => is === 'known') && keys.every(({ is }) => is === 'known' || is === 'unknown')
}

/** A line of known_hosts. */
export function knownHostLine({ host, port }: Target, { type, key }: JudgedKey): string {
  return `${knownHostName(host, port)} ${type} ${key.toString('base64')}`
}

/** By rename: whoever reads the file meanwhile reads all of the old one or all of the new one. */
export function addKnownHosts(file: string, lines: readonly string[]): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const found = statSync(file, { throwIfNoEntry: false })
    // A link stays a link.
    const path = found ? realpathSync(file) : file
    const text = found ? readFileSync(path, 'utf8') : ''
    const end = text === '' || text.endsWith('\n') ? '' : '\n'
    const fresh = `${path}.new`
    rmSync(fresh, { force: true })
    writeFileSync(fresh, `${text}${end}${lines.map((line) => `${line}\n`).join('')}`, { flag: 'wx', flush: true })
    chmodSync(fresh, found ? found.mode & 0o7777 : 0o600)
    renameSync(fresh, path)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new NotTrusted(`cannot write the known_hosts file ${file}: ${why}`, `ls -ld ${dirname(file)}`)
  }
}
