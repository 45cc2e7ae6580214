/** Locks of nodes, between real processes: one has a node, and who is killed has none. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pid, kill as signal } from 'node:process'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Holding, holdNodes, listLocks, removeLocks } from '../../src/record/lock.ts'
import { lifeOf, type Owner, ownerHere } from '../../src/record/owner.ts'

const BUILT = join(import.meta.dirname, '../../dist/record')

/** Waits for a line, takes what it gets of the nodes, says what, and holds it until its input ends. */
const HOLDER = `
import { holdNodes } from '${BUILT}/lock.js'
import { ownerHere } from '${BUILT}/owner.js'
const [folder, run, ...nodes] = process.argv.slice(1)
console.log('ready')
process.stdin.once('data', () => {
  const holding = holdNodes(folder, 'lab', nodes, ownerHere(run, 'push', process.pid, new Date(0)))
  const held = nodes.filter((node) => !holding.heldByOthers.has(node))
  console.log(JSON.stringify({ held, inherited: [...holding.inherited.keys()] }))
  process.stdin.once('end', () => holding.release())
})`

/** Takes and gives back all nodes, over and over. */
const CHURNER = `
import { holdNodes } from '${BUILT}/lock.js'
import { ownerHere } from '${BUILT}/owner.js'
const [folder, run, ...nodes] = process.argv.slice(1)
for (let count = 0; ; count++) {
  holdNodes(folder, 'lab', nodes, ownerHere(run + '-' + count, 'push', process.pid, new Date(0))).release()
  console.log(count)
}`

const NODES = Array.from({ length: 40 }, (_, index) => `nc-${index + 10}`)
const TIME = new Date('2026-01-02T03:04:05.678Z')

let folder: string
const children: ChildProcessWithoutNullStreams[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-lock-'))
})

afterEach(async () => {
  await Promise.all(children.splice(0).map(kill))
  rmSync(folder, { recursive: true })
})

interface Holder {
  readonly child: ChildProcessWithoutNullStreams
  readonly said: () => readonly string[]
}

async function start(script: string, run: string, nodes: readonly string[]): Promise<Holder> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, folder, run, ...nodes])
  children.push(child)
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const said = () => text.split('\n').slice(0, -1)
  await vi.waitUntil(() => said().length > 0, { timeout: 30_000 })
  return { child, said }
}

async function take({ child, said }: Holder): Promise<{ readonly held: string[]; readonly inherited: string[] }> {
  child.stdin.write('go\n')
  await vi.waitUntil(() => said().length > 1, { timeout: 30_000 })
  return JSON.parse(said()[1] ?? '')
}

async function kill(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGKILL')
  await gone
}

async function end({ child }: Holder): Promise<void> {
  const gone = new Promise((resolve) => child.once('close', resolve))
  child.stdin.end()
  await gone
}

function hold(run: string, nodes: readonly string[]): Holding {
  return holdNodes(folder, 'lab', nodes, ownerHere(run, 'push', pid, TIME))
}

const left = () => readdirSync(join(folder, 'lab/locks'))

it('of all who want nodes at once each node has one, and nothing is left when they end', async () => {
  const holders = await Promise.all(['a', 'b', 'c', 'd'].map((run) => start(HOLDER, run, NODES)))
  const taken = await Promise.all(holders.map(take))
  expect(taken.flatMap(({ held }) => held).toSorted()).toEqual(NODES)
  await Promise.all(holders.map(end))
  expect(left()).toEqual([])
})

it('of all who find the nodes of one who was killed each node has one, who is told', async () => {
  const killed = await start(HOLDER, 'killed', NODES)
  expect((await take(killed)).held).toEqual(NODES)
  const holders = await Promise.all(['a', 'b', 'c', 'd'].map((run) => start(HOLDER, run, NODES)))
  await kill(killed.child)
  const taken = await Promise.all(holders.map(take))
  expect(taken.flatMap(({ held }) => held).toSorted()).toEqual(NODES)
  for (const { held, inherited } of taken) expect(inherited).toEqual(held)
  await Promise.all(holders.map(end))
  expect(left()).toEqual([])
})

it('runs of other nodes are no matter', async () => {
  const [one, other] = await Promise.all([start(HOLDER, 'a', ['nc-01', 'nc-02']), start(HOLDER, 'b', ['nc-03'])])
  expect([(await take(one)).held, (await take(other)).held]).toEqual([['nc-01', 'nc-02'], ['nc-03']])
})

it('a node that is held is told with who has it, and is free when that one ends', async () => {
  const holder = await start(HOLDER, 'a', ['nc-01'])
  await take(holder)
  const refused = hold('b', ['nc-01', 'nc-02'])
  expect([...refused.heldByOthers]).toEqual([
    [
      'nc-01',
      expect.objectContaining({ run: 'a', command: 'push', pid: holder.child.pid, since: new Date(0).toISOString() }),
    ],
  ])
  refused.release()
  expect(listLocks(folder)).toMatchObject([{ cloud: 'lab', node: 'nc-01', owner: { run: 'a' }, life: 'alive' }])
  await end(holder)
  expect(hold('c', ['nc-01'])).toMatchObject({ heldByOthers: new Map(), inherited: new Map() })
})

it.each([1, 2, 5, 9, 17])(
  'killed while it takes and gives back, after about %i rounds, nobody is kept out',
  async (rounds) => {
    const churner = await start(CHURNER, 'churn', NODES)
    await vi.waitUntil(() => churner.said().length >= rounds, { timeout: 30_000, interval: 1 })
    await kill(churner.child)
    const holding = hold('next', NODES)
    expect([...holding.heldByOthers]).toEqual([])
    expect(listLocks(folder).map(({ node, owner }) => `${node} ${owner.run}`)).toEqual(
      NODES.map((node) => `${node} next`),
    )
    holding.release()
    // The file of a run that was killed while it wrote its name is in nobody's way.
    expect(left().filter((name) => !name.startsWith('churn-') || !name.endsWith('.owner'))).toEqual([])
  },
)

it("the right to succeed a run that has given its node back is nobody's any more", () => {
  hold('first', ['nc-02']).release()
  const claim = join(folder, 'lab/locks/nc-01.lock.after-first')
  writeFileSync(claim, JSON.stringify({ ...ownerHere('first', 'push', pid, TIME), pid: 2 ** 30 }))
  hold('next', ['nc-02']).release()
  expect(left()).toEqual([])
})

it('killed while it takes over what one left who was killed while he took over, nobody is kept out', () => {
  hold('first', ['nc-01'])
  const locks = join(folder, 'lab/locks')
  const gone = { ...ownerHere('first', 'push', pid, TIME), pid: 2 ** 30 }
  writeFileSync(join(locks, 'nc-01.lock'), JSON.stringify(gone))
  writeFileSync(join(locks, 'nc-01.lock.after-first'), JSON.stringify({ ...gone, run: 'second' }))
  writeFileSync(join(locks, 'nc-01.lock.after-first.after-second'), JSON.stringify({ ...gone, run: 'third' }))
  writeFileSync(join(locks, 'nc-01.lock.new-third'), JSON.stringify({ ...gone, run: 'third' }))
  const holding = hold('fourth', ['nc-01'])
  expect([...holding.inherited.keys()]).toEqual(['nc-01'])
  holding.release()
  expect(left()).toEqual([])
})

it('one who is killed has nothing, also before his parent takes note of his end', async () => {
  const ready = join(folder, 'ready')
  const script = `${HOLDER.replace("process.stdin.once('data', () => {", 'setImmediate(() => {')}\nsetInterval(() => {}, 1e6)`
  const args = [process.execPath, '--input-type=module', '-e', script, folder, 'a', 'nc-01']
  // sleep takes the place of the shell and never asks what became of its child.
  const parent = spawn('sh', ['-c', `"$@" > ${ready} & echo $! > ${ready}.pid; exec sleep 1000`, 'sh', ...args])
  children.push(parent)
  await vi.waitUntil(() => existsSync(ready) && readFileSync(ready, 'utf8').includes('held'), { timeout: 30_000 })
  const orphan = Number(readFileSync(`${ready}.pid`, 'utf8'))
  signal(orphan, 'SIGKILL')
  const state = () => readFileSync(`/proc/${orphan}/stat`, 'utf8').replace(/^.*\) /s, '')[0]
  await vi.waitUntil(() => state() === 'Z', { timeout: 30_000 })
  expect([...hold('b', ['nc-01']).inherited.keys()]).toEqual(['nc-01'])
})

describe('an owner', () => {
  const own = () => ownerHere('a', 'push', pid, TIME)
  const besides = (change: Partial<Owner['whereabouts']>) => ({
    ...own(),
    whereabouts: { ...own().whereabouts, ...change },
  })

  it.each<[string, () => Owner, string]>([
    ['this process', own, 'alive'],
    ['a process that never was', () => ({ ...own(), pid: 2 ** 30 }), 'gone'],
    ['an older process of the same number', () => besides({ started: '1' }), 'gone'],
    ['a process of another boot', () => besides({ boot: 'b' }), 'gone'],
    ['a process of another namespace', () => besides({ namespace: 'pid:[1]' }), 'elsewhere'],
    ['a process of another machine', () => besides({ machine: 'm', boot: 'b' }), 'elsewhere'],
    ['a process of a host of another name', () => ({ ...own(), host: 'other', pid: 2 ** 30 }), 'elsewhere'],
  ])('%s', (_, owner, life) => {
    expect(lifeOf(owner())).toBe(life)
  })

  it('of another host keeps its nodes, whatever its number is here, until they are taken by hand', () => {
    hold('theirs', ['nc-01', 'nc-02'])
    hold('ours', ['nc-03'])
    const path = join(folder, 'lab/locks/nc-01.lock')
    writeFileSync(path, JSON.stringify({ ...own(), run: 'theirs', host: 'other', pid: 2 ** 30 }))
    expect([...hold('b', ['nc-01']).heldByOthers.values()].map(({ host }) => host)).toEqual(['other'])

    const theirs = listLocks(folder).filter(({ owner }) => owner.run === 'theirs')
    expect(theirs.map(({ node, life }) => `${node} ${life}`)).toEqual(['nc-01 elsewhere', 'nc-02 elsewhere'])
    expect(removeLocks(folder, theirs, ownerHere('hand', 'lock release', pid, TIME))).toEqual(theirs)
    expect(removeLocks(folder, theirs, ownerHere('hand-2', 'lock release', pid, TIME))).toEqual([])
    expect(hold('c', ['nc-01', 'nc-02', 'nc-03']).heldByOthers.size).toBe(1)
  })
})

it('who was driven out by hand leaves the lock of the next alone', () => {
  const first = hold('first', ['nc-01'])
  removeLocks(folder, listLocks(folder), ownerHere('hand', 'lock release', pid, TIME))
  hold('second', ['nc-01'])
  first.release()
  expect(listLocks(folder)).toMatchObject([{ node: 'nc-01', owner: { run: 'second' } }])
})

it('says that it cannot be written, or cannot be read', () => {
  writeFileSync(join(folder, 'lab'), '')
  expect(() => hold('a', ['nc-01'])).toThrow(expect.objectContaining({ exitCode: 77 }))
  rmSync(join(folder, 'lab'))
  const held = hold('a', ['nc-01', 'nc-02'])
  const path = join(folder, 'lab/locks/nc-03.lock')
  writeFileSync(path, '')
  expect(() => hold('b', ['nc-04', 'nc-03'])).toThrow(
    expect.objectContaining({ exitCode: 77, next: `remove it: rm ${path}` }),
  )
  expect(left().toSorted()).toEqual(['a.owner', 'nc-01.lock', 'nc-02.lock', 'nc-03.lock'])
  held.release()
})
