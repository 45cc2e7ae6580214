/** A disk that is full in the middle of a run costs the record, never an outcome. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startLab } from '../../lab/start-lab.ts'
import { readRecord } from '../../src/record/record.ts'
import type { RunEvent } from '../../src/run/event.ts'
import { CASE, CLI } from '../commands/cli.ts'
import { describeLab } from '../lab/with-lab.ts'
import { createKey } from '../node/keys.ts'

const WARNING = 'warning: the record of this run cannot be written any more: '

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-full-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function eventsOf(ndjson: string): readonly RunEvent[] {
  expect(ndjson === '' || ndjson.endsWith('\n')).toBe(true)
  return ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

function recordedEvents(state: string): readonly RunEvent[] {
  const runs = join(state, 'lab/runs')
  return readdirSync(runs).flatMap((name) => eventsOf(readFileSync(join(runs, name), 'utf8')))
}

function outcomesOf(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === 'outcome' ? [`${event.outcome.node} ${event.outcome.status}`] : []))
}

/** Two nodes of the case and one more, at ports where nobody listens. */
function writeInventory(): void {
  createKey(join(folder, 'key'))
  const nodes = ['51', '52', '53'].map(
    (host) => `  nc-${host}: { address: 10.110.5.${host}, ssh: { port: ${host}, host: 127.0.0.1 } }\n`,
  )
  const defaults =
    '{ role: nc, options: { VNET_BRIDGE: br0, VNET_PUBINTERFACE: br0 }, ssh: { key: ./key, known_hosts: ./none } }'
  writeFileSync(join(folder, 'lab.yml'), `cloud: lab\ndefaults: ${defaults}\nnodes:\n${nodes.join('')}`)
}

/** No file may grow past so many times 512 bytes: what is over the limit is cut off, as it is by a full disk. */
function pushWithin(blocks: number) {
  const state = join(folder, `state-${blocks}`)
  const script = `ulimit -f ${blocks} && exec "$@"`
  const args = ['push', '-i', 'lab.yml', '--view', join(CASE, 'view.xml'), '--forks', '1', '--json', '--force', 'nodes']
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script, 'sh', process.execPath, CLI, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, EDGEPUSH_STATE: state },
  })
  return { status, events: eventsOf(stdout), warnings: stderr.split(WARNING).length - 1, stderr, state }
}

it.each([1, 2, 3])('with room for %i blocks of a record every node has its outcome', (blocks) => {
  writeInventory()
  const { status, events, warnings, stderr, state } = pushWithin(blocks)
  expect(stderr).not.toContain('this is a bug')
  expect([status, warnings]).toEqual([6, 1])
  expect(stderr).toContain('EFBIG')
  expect(outcomesOf(events)).toEqual(['nc-51 unreachable', 'nc-52 unreachable', 'nc-53 unreachable'])
  expect(events.at(-1)?.type).toBe('run-finished')

  const recorded = recordedEvents(state)
  expect(recorded.length).toBeLessThan(events.length - 1)
  expect(recorded.map(({ type }) => type)).toEqual(events.slice(1, 1 + recorded.length).map(({ type }) => type))
  expect(readRecord(state, 'lab').size).toBeLessThanOrEqual(outcomesOf(recorded).length)
})

it('with room enough nothing is said and everything is kept', () => {
  writeInventory()
  const { status, events, warnings, state } = pushWithin(64)
  expect([status, warnings]).toEqual([6, 0])
  expect(recordedEvents(state).map(({ type }) => type)).toEqual(events.slice(1).map(({ type }) => type))
  expect(outcomesOf(recordedEvents(state))).toEqual(outcomesOf(events))
  expect([...readRecord(state, 'lab').keys()]).toEqual(['nc-51', 'nc-52', 'nc-53'])
})

describeLab('on a full file system', () => {
  it('the nodes converge, and the exit code says so', async () => {
    const lab = await startLab({ nodes: 3 })
    try {
      const state = join(folder, 'state')
      mkdirSync(state)
      // Three pages: one for the lock, one for the run, one for the first node's outcome.
      const full = `mount -t tmpfs -o size=12k tmpfs ${state} && EDGEPUSH_STATE=${state} exec "$@"`
      const push = ['sh', '-c', full, 'sh', process.execPath, CLI, 'push', 'push.yml', '--json']
      const { code, stdout, stderr } = await lab.admin.exec(push, { cwd: lab.files.directory })
      expect(stderr.split(WARNING)).toHaveLength(2)
      expect(stderr).toContain('ENOSPC')
      expect(code).toBe(0)
      expect(outcomesOf(eventsOf(stdout)).toSorted()).toEqual(['nc-01 converged', 'nc-02 converged', 'nc-03 converged'])

      const kept = await lab.admin.run(`cat ${state}/lab/runs/*.ndjson; ls ${state}/lab/nodes`)
      const [, text = '', names] = /^(.*\n)(nc-0\d\.json)\n$/s.exec(kept) ?? []
      const [first] = outcomesOf(eventsOf(text))
      expect(first).toBe(`${names?.replace('.json', '')} converged`)
    } finally {
      await lab.stop()
    }
  })
})
