/** Which run a retry is about; what it then does is a push. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { edgepush } from './cli.ts'

const PUSH = '20260101T120000Z-0a1b2c'
const WATCH = '20260101T130000Z-0a1b2c'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-retry-'))
  writeFileSync(join(folder, 'lab.yml'), 'cloud: lab\nnodes:\n  nc-01: { address: 10.0.0.1, role: nc }\n')
  writeFileSync(
    join(folder, 'push.yml'),
    'name: push\ninventory: ./lab.yml\nsource: { file: ./view.xml }\nstages: [{ name: all, targets: [all] }]\n',
  )
  mkdirSync(join(folder, 'state/lab/runs'), { recursive: true })
})

afterEach(() => rmSync(folder, { recursive: true }))

function ran(run: string, command: string): void {
  const outcome = { node: 'nc-01', status: 'converged', notes: [], milliseconds: 1 }
  const events = [
    { type: 'run-started', run, command, cloud: 'lab', nodes: ['nc-01'] },
    { type: 'outcome', outcome },
  ]
  const lines = events.map((event) => `${JSON.stringify({ time: '', ...event })}\n`)
  writeFileSync(join(folder, `state/lab/runs/${run}.ndjson`), lines.join(''))
}

async function retry(...words: readonly string[]) {
  return await edgepush(['retry', ...words, 'push.yml'], folder, join(folder, 'state'))
}

it('is about the last push, whatever was watched since', async () => {
  ran(PUSH, 'push')
  ran(WATCH, 'watch')
  const { code, stderr } = await retry()
  expect(stderr).toContain(`run ${PUSH}: every node came to a good end; there is nothing to retry`)
  expect(code).toBe(0)
})

it.each([
  ['no push was ever', [], 'no push is in the record'],
  ['the run was no push', [WATCH], `run ${WATCH} was no push: watch\n  edgepush watch -l @run:${WATCH}:failed`],
  ['there is no such run', [PUSH], `the record of lab has no run "${PUSH}"`],
])('is refused where %s', async (_, words, said) => {
  ran(WATCH, 'watch')
  const { code, stderr } = await retry(...words)
  expect(stderr).toContain(said)
  expect(code).toBe(64)
})
