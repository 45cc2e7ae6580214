import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fingerprint, keyType } from '../../src/node/fingerprint.ts'
import { readKnownHosts } from '../../src/node/host-key.ts'
import { checkHostKey, knownHostName, parseKnownHosts, selectKnownHosts } from '../../src/node/known-hosts.ts'
import { createKey, readFingerprint, readPublicKey } from './keys.ts'

let folder: string
let ours: string
let other: string
let rsa: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'known-hosts-'))
  ours = readPublicKey(createKey(join(folder, 'ours')))
  other = readPublicKey(createKey(join(folder, 'other')))
  rsa = readPublicKey(createKey(join(folder, 'rsa'), '', 'rsa'))
})

afterAll(() => rmSync(folder, { recursive: true }))

function blob(publicKey: string): Buffer {
  return Buffer.from(publicKey.split(' ')[1] ?? '', 'base64')
}

function check(text: string, host: string, port: number) {
  const lines = text.replaceAll('OURS', ours).replaceAll('OTHER', other).replaceAll('RSA', rsa)
  const verdict = checkHostKey(selectKnownHosts(parseKnownHosts(lines, 'file'), host, port), blob(ours))
  const by = verdict.is === 'unknown' ? verdict.authority : verdict.by
  return by ? `${verdict.is} ${by.file}:${by.line}` : verdict.is
}

const CASES: readonly (readonly [string, string, string, number, string])[] = [
  ['an empty file', '', 'a', 22, 'unknown'],
  ['a plain name', 'a OURS', 'a', 22, 'known file:1'],
  ['another name', 'b OURS', 'a', 22, 'unknown'],
  ['part of a name', 'ab OURS', 'a', 22, 'unknown'],
  ['letters in another case', 'Node.Example OURS', 'nODE.example', 22, 'known file:1'],
  ['an address', '10.0.0.1 OURS', '10.0.0.1', 22, 'known file:1'],
  ['a dot is a dot', '10.0.0.1 OURS', '10x0.0.1', 22, 'unknown'],
  ['an IPv6 address', 'fd00::1 OURS', 'fd00::1', 22, 'known file:1'],
  ['a comma list', 'x,a,y OURS', 'a', 22, 'known file:1'],
  ['a port', '[a]:2222 OURS', 'a', 2222, 'known file:1'],
  ['another port', '[a]:2222 OURS', 'a', 2223, 'unknown'],
  ['a port is part of the name', 'a OURS', 'a', 2222, 'unknown'],
  ['port 22 is not', '[a]:2222 OURS', 'a', 22, 'unknown'],
  ['an IPv6 address and a port', '[fd00::1]:2222 OURS', 'fd00::1', 2222, 'known file:1'],
  ['a star', '10.0.* OURS', '10.0.3.4', 22, 'known file:1'],
  ['a lone star', '* OURS', 'a', 2222, 'known file:1'],
  ['a star in brackets', '[10.0.*]:2222 OURS', '10.0.3.4', 2222, 'known file:1'],
  ['a question mark', 'nc-0? OURS', 'nc-05', 22, 'known file:1'],
  ['a question mark is one character', 'nc-0? OURS', 'nc-055', 22, 'unknown'],
  ['a negation', 'nc-*,!nc-05 OURS', 'nc-05', 22, 'unknown'],
  ['a negation first', '!nc-05,nc-* OURS', 'nc-05', 22, 'unknown'],
  ['a negation of others', 'nc-*,!nc-05 OURS', 'nc-06', 22, 'known file:1'],
  ['a negation alone', '!nc-05 OURS', 'nc-06', 22, 'unknown'],
  ['a negation is of its line', '!a,* OTHER\na OURS', 'a', 22, 'known file:2'],
  ['comments and empty lines', '# a OTHER\n\n   \na OURS comment', 'a', 22, 'known file:4'],
  ['blanks, tabs and CRLF', ' \ta \t OURS\r\n', 'a', 22, 'known file:1'],
  ['no key', 'a\na ssh-ed25519\na ssh-ed25519 AAAA', 'a', 22, 'unknown'],
  ['a key of another type than it says', 'a ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA==', 'a', 22, 'unknown'],
  ['a key of protocol 1', 'a 1024 35 1234567', 'a', 22, 'unknown'],
  ['a changed key', 'a OTHER', 'a', 22, 'changed file:1'],
  ['a changed key of another host', 'b OTHER', 'a', 22, 'unknown'],
  ['one of two keys', 'a OTHER\na OURS', 'a', 22, 'known file:2'],
  ['another type only', 'a RSA', 'a', 22, 'changed file:1'],
  ['the same type is what changed', 'a RSA\na OTHER', 'a', 22, 'changed file:2'],
  ['a revoked key', '@revoked a OURS', 'a', 22, 'revoked file:1'],
  ['a key revoked everywhere', 'a OURS\n@revoked * OURS', 'a', 22, 'revoked file:2'],
  ['another key revoked', '@revoked * OTHER\na OURS', 'a', 22, 'known file:2'],
  ['another key revoked, none known', '@revoked * OTHER', 'a', 22, 'unknown'],
  ['revoked for another host', '@revoked b OURS\na OURS', 'a', 22, 'known file:2'],
  ['an authority', '@cert-authority a OURS', 'a', 22, 'unknown file:1'],
  ['an authority beside a key', '@cert-authority a OTHER\na OURS', 'a', 22, 'known file:2'],
  ['an unknown marker', '@trusted a OURS', 'a', 22, 'unknown'],
  ['a hash of another scheme', '|2|AAAA|AAAA OURS', 'a', 22, 'unknown'],
  ['a broken hash', '|1|AAAA OURS\n|1| OURS\n| OURS', 'a', 22, 'unknown'],
]

test.each(CASES)('%s', (_, text, host, port, expected) => {
  expect(check(text, host, port)).toBe(expected)
})

test('a key is named as ssh-keygen names it', () => {
  expect(fingerprint(blob(ours))).toBe(readFingerprint(join(folder, 'ours')))
  expect(keyType(blob(rsa))).toBe('ssh-rsa')
  expect(keyType(Buffer.from([0, 0, 1]))).toBeUndefined()
  expect(keyType(Buffer.from([0, 0, 1, 0, 65]))).toBeUndefined()
})

/** The lines ssh-keygen finds for a name. */
function findLines(file: string, name: string): readonly number[] {
  try {
    const output = execFileSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8' })
    return [...output.matchAll(/^# Host .* found: line (\d+)/gm)].map((match) => Number(match[1]))
  } catch {
    return []
  }
}

test('the same lines as ssh-keygen finds, plain and hashed', () => {
  const plain = [
    `nc-01 ${ours}`,
    `nc-02,10.0.0.2 ${other}`,
    `[nc-01]:2222 ${ours}`,
    `[10.0.0.3]:2222,nc-03 ${rsa}`,
    `nc-*,!nc-05 ${other}`,
    `[nc-0?]:2222 ${other}`,
    `@revoked nc-04 ${ours}`,
    `@cert-authority *.example.org ${ours}`,
    `fd00::1 ${ours}`,
  ]
  const names: readonly (readonly [string, number])[] = [
    ...['nc-01', 'nc-02', '10.0.0.2', '10.0.0.3', 'nc-03', 'nc-04', 'nc-05', 'a.example.org', 'fd00::1', 'x'].flatMap(
      (host) => [22, 2222].map((port) => [host, port] as const),
    ),
  ]
  const file = join(folder, 'oracle')
  for (const hashed of [false, true]) {
    writeFileSync(file, `${plain.join('\n')}\n`)
    if (hashed) execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'pipe' })
    const text = readFileSync(file, 'utf8')
    expect(text.includes('|1|')).toBe(hashed)

    const entries = parseKnownHosts(text, file)
    const found = names.map(([host, port]) => selectKnownHosts(entries, host, port).map((entry) => entry.line))
    expect(found).toEqual(names.map(([host, port]) => findLines(file, knownHostName(host, port))))
    expect(new Set(found.flat()).size).toBe(new Set([...entries.plain.values(), entries.others].flat()).size)
  }
})

test('a file that looks as it did is not read again, and one that was changed is', async () => {
  const file = join(folder, 'kept')
  const target = { name: 'a', host: 'a', port: 22, user: 'root', key: undefined, knownHosts: [file], connectTimeout: 1 }
  writeFileSync(file, `a ${ours}\n`)
  const firstOf = async () => (await readKnownHosts(target))[0]
  const isKept = async () => {
    const [one, other] = [await firstOf(), await firstOf()]
    return one === other
  }
  // One that was written a moment ago could be written again without a trace.
  await expect.poll(isKept, { timeout: 20_000 }).toBe(true)
  writeFileSync(file, `@revoked a ${ours}\n`)
  expect((await firstOf())?.marker).toBe('@revoked')
  rmSync(file)
  expect(await firstOf()).toBeUndefined()
})
