/** What of a bundle travels to a node that has some of it, in namespaces of this machine, and what the node makes of it. */

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Bundle } from '../../src/bundle/bundle.ts'
import { packageTemplates } from '../../src/config/templates.ts'
import { probe } from '../../src/node/probe.ts'
import { stage } from '../../src/node/protocol.ts'
import { NOTHING_STORED, type Stored } from '../../src/node/stage-script.ts'
import { makeSandbox, type Sandbox, sandboxMissing } from './sandbox.ts'

const missing = sandboxMissing()
if (missing !== '') console.error(`SKIPPED: no node to stage on without ${missing}`)

const templates = packageTemplates()
const APPLY = `echo "note asked to $1" # ${'x'.repeat(50_000)}\n`
const FIRST = bundleOf({ 'apply.sh': APPLY, addresses: 'pool\n', 'dhcpd.conf': 'one\n', 'ipset.restore': 'one\n' })
/** The same but for two files: one is another, and one has come. */
const SECOND = bundleOf({
  'apply.sh': APPLY,
  addresses: 'pool\n',
  'dhcpd.conf': 'two\n',
  'eucanetd-placeholder': 'new\n',
  'ipset.restore': 'one\n',
})
const DONE = { state: 'done', notes: ['asked to check'], errors: [] }

describe.skipIf(missing !== '')('a bundle', () => {
  let node: Sandbox

  beforeEach(() => {
    node = makeSandbox()
  })
  afterEach(() => node.remove())

  const stored = async () => (await probe(node.connect(), templates)).stored
  const fileOf = ({ digest }: Bundle, name: string) => join(node.state, 'gen', digest, name)

  /** What was said, and the scripts that were sent for it. */
  async function staging(bundle: Bundle, there: Stored, world = '') {
    const scripts: string[] = []
    const input = (script: string) => {
      scripts.push(script)
      return script
    }
    const verdict = await stage(node.connect({ input, world }), bundle, there)
    return { verdict, scripts, sent: scripts.map((script) => filesIn(script)) }
  }

  function held(bundle: Bundle): Readonly<Record<string, string>> {
    const names = readdirSync(join(node.state, 'gen', bundle.digest))
    return Object.fromEntries(names.map((name) => [name, readFileSync(fileOf(bundle, name), 'utf8')]))
  }

  it('travels whole to a node that has nothing', async () => {
    expect(await stored()).toEqual(NOTHING_STORED)
    const { verdict, sent, scripts } = await staging(FIRST, await stored())
    expect({ verdict, sent }).toEqual({ verdict: DONE, sent: [FIRST.files.map(({ name }) => name)] })
    expect(scripts.join('').length).toBeGreaterThan(50_000)
    expect(held(FIRST)).toEqual(textsOf(FIRST))
  })

  it('travels in the files that the node lacks', async () => {
    await staging(FIRST, NOTHING_STORED)
    const { verdict, sent, scripts } = await staging(SECOND, await stored())
    expect({ verdict, sent }).toEqual({
      verdict: DONE,
      sent: [['dhcpd.conf', 'eucanetd-placeholder', 'manifest.json']],
    })
    expect(scripts.join('').length).toBeLessThan(4_000)
    expect(held(SECOND)).toEqual(textsOf(SECOND))
    expect(held(FIRST)).toEqual(textsOf(FIRST))
    expect(readdirSync(node.state)).toEqual(['gen'])
  })

  it('does not travel to a node that has it, current or not', async () => {
    await staging(FIRST, NOTHING_STORED)
    await staging(SECOND, await stored())
    for (const bundle of [FIRST, SECOND]) {
      const { verdict, sent, scripts } = await staging(bundle, await stored())
      expect({ verdict, sent }).toEqual({ verdict: DONE, sent: [[]] })
      expect(scripts.join('').length).toBeLessThan(3_000)
      expect(held(bundle)).toEqual(textsOf(bundle))
    }
  })

  it('is made of several that are there', async () => {
    await staging(FIRST, NOTHING_STORED)
    await staging(SECOND, await stored())
    const third = bundleOf({ ...textsOf(SECOND, 'manifest.json'), 'dhcpd.conf': 'one\n' })
    expect(await staging(third, await stored())).toMatchObject({ verdict: DONE, sent: [['manifest.json']] })
    expect(held(third)).toEqual(textsOf(third))
  })

  const shared = ['apply.sh', 'addresses', 'ipset.restore']
  const damages: readonly (readonly [string, (file: string) => void])[] = [
    ['is another', (file) => writeFileSync(file, 'edited\n')],
    ['is cut off', (file) => writeFileSync(file, readFileSync(file, 'utf8').slice(0, -2))],
    ['is empty', (file) => writeFileSync(file, '')],
    ['is gone', (file) => rmSync(file)],
    ['is a folder', (file) => replaceByFolder(file)],
  ]

  it.each(damages)('travels whole, and arrives, when what is there %s', async (_, damage) => {
    for (const name of shared) {
      await staging(FIRST, NOTHING_STORED)
      const there = await stored()
      damage(fileOf(FIRST, name))
      const { verdict, sent } = await staging(SECOND, there)
      const [part, whole] = [
        ['dhcpd.conf', 'eucanetd-placeholder', 'manifest.json'],
        SECOND.files.map((file) => file.name),
      ]
      expect({ name, verdict, sent }).toEqual({ name, verdict: DONE, sent: [part, whole] })
      expect(held(SECOND)).toEqual(textsOf(SECOND))
      rmSync(join(node.state, 'gen'), { recursive: true })
    }
  })

  it.each(damages)('travels whole, and arrives, when it is there and one of its files %s', async (_, damage) => {
    for (const { name } of FIRST.files) {
      await staging(FIRST, NOTHING_STORED)
      const there = await stored()
      damage(fileOf(FIRST, name))
      const { verdict, sent } = await staging(FIRST, there)
      expect({ name, verdict, sent }).toEqual({ name, verdict: DONE, sent: [[], FIRST.files.map((file) => file.name)] })
      expect(held(FIRST)).toEqual(textsOf(FIRST))
    }
  })

  it.each([
    ['the bundle that has them', () => rmSync(join(node.state, 'gen', FIRST.digest), { recursive: true })],
    ['every bundle', () => rmSync(join(node.state, 'gen'), { recursive: true })],
  ])('travels whole when %s is gone since the node was asked', async (_, remove) => {
    await staging(FIRST, NOTHING_STORED)
    const there = await stored()
    remove()
    expect((await staging(SECOND, there)).verdict).toEqual(DONE)
    expect(held(SECOND)).toEqual(textsOf(SECOND))
  })

  it('travels whole when a manifest there says of a file what it is not', async () => {
    await staging(FIRST, NOTHING_STORED)
    const lie = readFileSync(fileOf(FIRST, 'manifest.json'), 'utf8').replace(sha256('one\n'), sha256('two\n'))
    writeFileSync(fileOf(FIRST, 'manifest.json'), lie)
    const { verdict, sent } = await staging(SECOND, await stored())
    expect({ verdict, often: sent.length }).toEqual({ verdict: DONE, often: 2 })
    expect(held(SECOND)).toEqual(textsOf(SECOND))
  })

  const small = (kilobytes: number) => `
    cp -a /var/lib/edgepush /tmp/kept.$$ && mount -t tmpfs -o size=${kilobytes}k none /var/lib/edgepush &&
    cp -a /tmp/kept.$$/. /var/lib/edgepush && rm -r /tmp/kept.$$ || exit 1`

  it('needs no room for what the node has', async () => {
    await staging(FIRST, NOTHING_STORED)
    const there = await stored()
    expect(await staging(SECOND, there, small(100))).toMatchObject({ verdict: DONE })
    const { verdict } = await staging(SECOND, NOTHING_STORED, small(100))
    expect(verdict).toMatchObject({ state: 'refused', errors: [expect.stringMatching(/damaged: is the disk full/)] })
  })

  it('is refused by a disk that has no room for the rest, and what was there stays', async () => {
    const large = bundleOf({ ...textsOf(FIRST, 'manifest.json'), 'dhcpd.conf': 'x'.repeat(100_000) })
    await staging(FIRST, NOTHING_STORED)
    const { verdict } = await staging(large, await stored(), small(120))
    expect(verdict).toEqual({
      state: 'refused',
      notes: [],
      errors: [expect.stringMatching(/damaged: is the disk full/)],
    })
    expect(held(FIRST)).toEqual(textsOf(FIRST))
  })
})

function filesIn(script: string): readonly string[] {
  return [...script.matchAll(/^cat > "\$incoming\/(.*)" << /gm)].map(([, name = '']) => name)
}

function replaceByFolder(file: string): void {
  rmSync(file)
  mkdirSync(file)
}

function textsOf({ files }: Bundle, without = ''): Readonly<Record<string, string>> {
  return Object.fromEntries(files.filter(({ name }) => name !== without).map(({ name, text }) => [name, text]))
}

function bundleOf(texts: Readonly<Record<string, string>>): Bundle {
  const digests = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, sha256(text)]))
  const manifest = `${JSON.stringify({ node: 'nc-01', files: digests }, null, 2)}\n`
  const files = Object.entries({ ...texts, 'manifest.json': manifest }).map(([name, text]) => ({ name, text }))
  return { node: 'nc-01', digest: sha256(manifest), files: files.sort((a, b) => (a.name < b.name ? -1 : 1)) }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
