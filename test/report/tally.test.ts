import { expect, test } from 'vitest'
import { tally } from '../../src/report/tally.ts'
import type { RunPhase, Status } from '../../src/run/outcome.ts'

const nodes = Array.from({ length: 5_000 }, (_, index) => `nc-${index}`)

function start() {
  let time = 0
  const { heed, lines } = tally(() => time)
  heed({ type: 'run-started', run: 'r', command: 'push', cloud: 'lab', view: undefined, nodes })
  heed({ type: 'stage-started', stage: 'rest', nodes })
  return {
    lines,
    enter: (node: string, phase: RunPhase) => heed({ type: 'phase', node, phase }),
    end: (node: string, status: Status) =>
      heed({ type: 'outcome', outcome: { node, status, notes: [], milliseconds: 0 } }),
    pass(milliseconds: number) {
      time += milliseconds
    },
  }
}

test('the slowest are those that are longest in their phase', () => {
  const { lines, enter, end, pass } = start()
  expect(lines()).toEqual(['stage rest: 0 of 5000 nodes done, 0 s'])
  for (const node of nodes.slice(0, 8)) {
    enter(node, 'connect')
    pass(1_000)
  }
  enter('nc-0', 'probe')
  pass(92_000)
  end('nc-1', 'unchanged')
  end('nc-3', 'unreachable')
  end('nc-4', 'unchanged')
  expect(lines()).toEqual([
    'stage rest: 3 of 5000 nodes done, 100 s',
    '  1 unreachable, 2 unchanged',
    '  at connect 4, probe 1',
    '   98 s  connect  nc-2',
    '   95 s  connect  nc-5',
    '   94 s  connect  nc-6',
    '   93 s  connect  nc-7',
    '   92 s  probe    nc-0',
  ])
})

test('who waits for the others is counted, and is not slow', () => {
  const { lines, enter, pass } = start()
  enter('nc-0', 'ready')
  pass(9_000)
  enter('nc-1', 'stage')
  expect(lines().slice(1)).toEqual(['  at ready 1, stage 1', '    0 s  stage  nc-1'])
})

test('it is eight lines at most, however many nodes there are', () => {
  const { lines, enter, end } = start()
  const phases: readonly RunPhase[] = ['connect', 'probe', 'render', 'stage', 'commit', 'verify', 'confirm']
  for (const phase of phases) for (const node of nodes) enter(node, phase)
  expect(lines()).toHaveLength(7)
  for (const node of nodes.slice(7)) end(node, 'converged')
  expect(lines()).toHaveLength(8)
  expect(lines()[1]).toBe('  4993 converged')
  for (const node of nodes.slice(0, 7)) end(node, 'unknown')
  expect(lines()).toEqual(['stage rest: 5000 of 5000 nodes done, 0 s', '  7 unknown, 4993 converged'])
})
