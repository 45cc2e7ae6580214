/** Verbs on a node in namespaces of this machine, with an apply script that says what it is told to. */

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Bundle } from '../../src/bundle/bundle.ts'
import { abort, adopt, commit, confirm, noteVersion, stage, verify } from '../../src/node/protocol.ts'
import { NOTHING_STORED } from '../../src/node/stage-script.ts'
import type { Start } from '../../src/node/start.ts'
import { makeSandbox, type Sandbox, sandboxMissing } from './sandbox.ts'

const missing = sandboxMissing()
if (missing !== '') console.error(`SKIPPED: no node to stage on without ${missing}`)

const RUN = '20260101T120000Z-0a1b2c'
const START: Start = {
  mayBegin: async () => true,
  stored: NOTHING_STORED,
  clock: undefined,
  onActivated: () => undefined,
}
const TERMS = { run: RUN, epoch: 3, window: 60_000, version: '0a1b' }

const FILES = {
  'dhcpd.conf': `option routers 10.0.0.1; # $HOME \`id\` "'\\\n`,
  'ipset.restore': 'create sg-1 hash:net\nadd sg-1 10.0.0.1\n\nadd sg-1 10.0.0.2\n',
}

describe.skipIf(missing !== '')('a verb', () => {
  let node: Sandbox

  beforeEach(() => {
    node = makeSandbox()
  })

  afterEach(() => node.remove())

  it('stages every file as it is, and asks the script to check it', async () => {
    const bundle = bundleOf('echo "note asked to $1"')
    expect(await stage(node.connect(), bundle, NOTHING_STORED)).toEqual({
      state: 'done',
      notes: ['asked to check'],
      errors: [],
    })
    expect(staged(bundle)).toEqual(Object.fromEntries(bundle.files.map(({ name, text }) => [name, text])))
    expect(readdirSync(node.state)).toEqual(['gen'])
  })

  it.each(['apply.sh', 'dhcpd.conf', 'ipset.restore', 'manifest.json'])('refuses a damaged %s', async (name) => {
    const bundle = bundleOf('echo note never')
    const text = bundle.files.find((file) => file.name === name)?.text ?? ''
    const damages = {
      'a letter changed': text.replace(/[a-z](?=[^a-z]*$)/, 'X'),
      'a line less': text.replace(/^.*\n/, ''),
      'a line more': `${text}\n`,
      'all gone': '',
    }
    for (const [damage, damaged] of Object.entries(damages)) {
      expect(damaged).not.toBe(text)
      const input = (whole: string) => whole.replace(`'\n${text}edgepush-end-`, () => `'\n${damaged}edgepush-end-`)
      const verdict = await stage(node.connect({ input }), bundle, NOTHING_STORED)
      expect({ damage, ...verdict }).toEqual({
        damage,
        state: 'refused',
        notes: [],
        errors: [expect.stringMatching('arrived damaged')],
      })
      expect(readdirSync(node.state)).toEqual(['gen'])
      expect(readdirSync(join(node.state, 'gen'))).toEqual([])
    }
  })

  it('refuses a bundle that lacks a file', async () => {
    const bundle = bundleOf('echo note never')
    const files = bundle.files.filter(({ name }) => name !== 'dhcpd.conf')
    expect(await stage(node.connect(), { ...bundle, files }, NOTHING_STORED)).toMatchObject({
      state: 'refused',
      notes: [],
    })
    expect(staged(bundle)).toEqual({})
  })

  it('stages again over a staged bundle that was damaged there, and leaves a good one alone', async () => {
    const bundle = bundleOf('exit 0')
    await stage(node.connect(), bundle, NOTHING_STORED)
    const place = join(node.state, 'gen', bundle.digest)
    writeFileSync(join(place, 'expected'), 'made by the check')
    await stage(node.connect(), bundle, NOTHING_STORED)
    expect(existsSync(join(place, 'expected'))).toBe(true)

    writeFileSync(join(place, 'ipset.restore'), 'create sg-1 hash:net\n')
    expect(await stage(node.connect(), bundle, NOTHING_STORED)).toMatchObject({ state: 'done' })
    expect(readFileSync(join(place, 'ipset.restore'), 'utf8')).toBe(FILES['ipset.restore'])
  })

  it.each([
    ['a full disk', 'mount -t tmpfs -o size=16k none /var/lib && mkdir /var/lib/edgepush', /damaged: is the disk full/],
    ['a disk that cannot be written', 'mount -o remount,bind,ro /var/lib', /cannot be written/],
  ])('refuses %s', async (_, world, message) => {
    const bundle = bundleOf(`exit 0 # ${'x'.repeat(100_000)}`)
    const verdict = await stage(node.connect({ world }), bundle, NOTHING_STORED)
    expect(verdict).toEqual({ state: 'refused', notes: [], errors: [expect.stringMatching(message)] })
  })

  it.each([
    [0, 'done'],
    [1, 'died'],
    [20, 'refused'],
    [21, 'rolled-back'],
    [22, 'unknown'],
    [23, 'held-by-another'],
    [126, 'died'],
  ])('takes exit status %i for %s, but a stage never for worse than refused', async (status, state) => {
    const bundle = bundleOf(`echo "note $*"; echo 'error why not'; exit ${status}`)
    const staging = await stage(node.connect(), bundle, NOTHING_STORED)
    expect(staging.state).toBe(status === 0 || status === 23 ? state : 'refused')
    const verdicts = {
      [`adopt ${RUN} 3 60 0a1b`]: await adopt(node.connect(), bundle, TERMS, START),
      [`verify ${RUN} metadata 5`]: await verify(node.connect(), bundle, RUN, 'metadata', 4_001),
      [`confirm ${RUN}`]: await confirm(node.connect(), bundle, RUN),
      [`abort ${RUN} it's no use`]: await abort(node.connect(), bundle, RUN, "it's no use"),
      'serves 0a1b': await noteVersion(node.connect(), bundle, '0a1b'),
    }
    for (const [words, verdict] of Object.entries(verdicts)) {
      expect(verdict).toMatchObject({ state, notes: [words] })
      expect(verdict.errors[0]).toBe('why not')
      const named = [0, 20, 21, 22, 23].includes(status)
      expect(verdict.errors.slice(1)).toEqual(named ? [] : [`the script ended with status ${status}`])
    }
  })

  it('tells a script that was killed from one that is not there, and so was not run', async () => {
    const bundle = bundleOf('[ "$1" = check ] || kill -9 $$')
    await stage(node.connect(), bundle, NOTHING_STORED)
    expect(await commit(node.connect(), bundle, TERMS, START)).toMatchObject({
      state: 'died',
      errors: ['the script ended with status 137'],
    })
    const gone = expect.stringMatching(/apply\.sh is gone from the node/)
    expect(await confirm(node.connect(), bundleOf('exit 0'), RUN)).toMatchObject({ state: 'refused', errors: [gone] })
  })

  function staged({ digest }: Bundle): Readonly<Record<string, string>> {
    const place = join(node.state, 'gen', digest)
    if (!existsSync(place)) return {}
    return Object.fromEntries(readdirSync(place).map((name) => [name, readFileSync(join(place, name), 'utf8')]))
  }
})

function bundleOf(script: string): Bundle {
  const files = Object.entries({ 'apply.sh': `${script}\n`, ...FILES })
  const digests = Object.fromEntries(files.map(([name, text]) => [name, sha256(text)]))
  const manifest = `${JSON.stringify({ node: 'nc-01', files: digests }, null, 2)}\n`
  const all = [...files, ['manifest.json', manifest] as const]
  return { node: 'nc-01', digest: sha256(manifest), files: all.map(([name, text]) => ({ name, text })) }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
