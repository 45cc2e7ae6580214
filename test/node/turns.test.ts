/** Who may log in when, and that waiting for it is not charged. */

import { expect, test } from 'vitest'
import { patiently, type Time } from '../../src/node/patience.ts'
import type { Target } from '../../src/node/transport.ts'
import { openTurns } from '../../src/node/turns.ts'

const TARGET: Target = {
  name: 'nc-01',
  host: '192.0.2.1',
  port: 22,
  user: 'root',
  key: undefined,
  knownHosts: [],
  connectTimeout: 60_000,
}

/** So many logins at once, each of which does this in its turn. */
async function logIn(
  count: number,
  turn: <T>(time: Time, work: () => Promise<T>) => Promise<T>,
  work: (time: Time) => Promise<void>,
): Promise<void> {
  const one = () =>
    patiently(TARGET, (time) =>
      turn(time, async () => {
        await work(time)
        return {}
      }),
    )
  await Promise.all(Array.from({ length: count }, one))
}

const moment = () => new Promise<void>((resolve) => setTimeout(resolve, 20))

test.each([
  ['at one hop, as many as are said', 3, 3, 20],
  ['at one hop, 8 if nothing is said', undefined, 8, 20],
])('%s', async (_, most, expected, count) => {
  const turns = openTurns()
  let now = 0
  let highest = 0
  await logIn(
    count,
    (time, work) => turns.atHop('bastion', most, time, work),
    async () => {
      now += 1
      highest = Math.max(highest, now)
      await moment()
      now -= 1
    },
  )
  expect(highest).toBeLessThanOrEqual(expected)
})

test('in this process, 64', async () => {
  const turns = openTurns()
  let now = 0
  let highest = 0
  await logIn(
    200,
    (time, work) => turns.here(time, work),
    async () => {
      now += 1
      highest = Math.max(highest, now)
      await moment()
      now -= 1
    },
  )
  expect(highest).toBe(64)
})

test('those that all find a turn at one hop do not start in one instant', async () => {
  const turns = openTurns()
  const starts: number[] = []
  await logIn(
    8,
    (time, work) => turns.atHop('bastion', 8, time, work),
    async () => {
      starts.push(performance.now())
    },
  )
  // Seven chances between 0 and 100 ms.
  expect(Math.max(...starts) - Math.min(...starts)).toBeGreaterThan(5)
})

test('each has its whole time when its turn comes, however long it waited', async () => {
  const turns = openTurns()
  const left: number[] = []
  const began = performance.now()
  await logIn(
    5,
    (time, work) => turns.atHop('bastion', 1, time, work),
    async (time) => {
      left.push(time.left())
      await moment()
    },
  )
  const waited = performance.now() - began
  expect(left).toHaveLength(5)
  // The last one has waited for four others, and is charged for none of them.
  expect(TARGET.connectTimeout - Math.min(...left)).toBeLessThan(waited / 5)
})
