/** `edgepush status` where no node is asked: what the record knows of each. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openRecord } from '../../src/record/record.ts'
import { edgepush } from './cli.ts'

const VIEW = { origin: 'view.xml', version: 'v1', digest: 'c'.repeat(64), mode: 'EDGE' }
const RUN = '20260102T030405Z-aaaaaa'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-status-'))
  const nodes = ['nc-01', 'nc-02', 'nc-03'].map((name, index) => `  ${name}: { address: 10.0.0.${index + 1} }\n`)
  writeFileSync(join(folder, 'lab.yml'), `cloud: lab\ndefaults: { role: nc }\nnodes:\n${nodes.join('')}`)
  const record = openRecord(join(folder, 'state'), 'lab', RUN, VIEW)
  const told = (time: string) => new Date(`2026-01-02T03:04:${time}Z`)
  const common = { notes: [], milliseconds: 5, digest: 'd'.repeat(64) }
  record.tell(
    { type: 'outcome', outcome: { ...common, node: 'nc-01', status: 'converged', phase: 'confirm' } },
    told('06'),
  )
  record.tell(
    {
      type: 'outcome',
      outcome: { ...common, node: 'nc-02', status: 'rolled-back', phase: 'verify', reason: 'no answer' },
    },
    told('07'),
  )
  record.close()
})

afterEach(() => rmSync(folder, { recursive: true }))

const status = (...args: readonly string[]) =>
  edgepush(['status', '-i', 'lab.yml', ...args], folder, join(folder, 'state'))

it('is a line for each node, and why the last run failed there', async () => {
  expect(await status()).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      'NODE   LAST                   DIGEST        VIEW  WHEN                      RUN',
      'nc-01  converged              dddddddddddd  v1    2026-01-02T03:04:06.000Z  20260102T030405Z-aaaaaa',
      'nc-02  rolled-back at verify  dddddddddddd  v1    2026-01-02T03:04:07.000Z  20260102T030405Z-aaaaaa',
      'nc-03  never pushed           -             -     -                         -',
      'nc-02: no answer',
      '',
    ].join('\n'),
  })
})

it('tells programs the status, phase, digest, view, run, time and reason', async () => {
  const { stdout } = await status('--json', '--node', 'nc-02', '--node', 'nc-03')
  const [first, ...rows] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(first).toMatchObject({ type: 'edgepush', format: 1, command: 'status' })
  expect(rows).toEqual([
    {
      type: 'status',
      node: 'nc-02',
      record: {
        outcome: {
          node: 'nc-02',
          status: 'rolled-back',
          phase: 'verify',
          digest: 'd'.repeat(64),
          reason: 'no answer',
          notes: [],
          milliseconds: 5,
        },
        run: RUN,
        view: VIEW,
        time: '2026-01-02T03:04:07.000Z',
      },
    },
    { type: 'status', node: 'nc-03' },
  ])
})
