/** The block on a terminal that shows what it is told to, whatever else is written and however large it is. */

import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type LiveBlock, liveBlock } from '../../src/report/live-block.ts'
import { openScreen, type Screen } from './screen.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})

afterEach(() => {
  vi.useRealTimers()
})

function tick(): void {
  vi.advanceTimersByTime(100)
}

function say(block: LiveBlock, screen: Screen, text: string): void {
  block.lift()
  screen.write(text)
}

async function shown(screen: Screen): Promise<readonly string[]> {
  await screen.settled()
  return screen.text().split('\n')
}

test('is drawn anew where it stood, above it what is said, and nothing of it is left', async () => {
  const screen = openScreen(40, 10)
  const block = liveBlock(screen)
  let lines = ['one', 'two']
  screen.write('before\n')
  block.show(() => lines)
  expect(await shown(screen)).toEqual(['before'])
  tick()
  expect(await shown(screen)).toEqual(['before', 'one', 'two'])
  lines = ['three']
  tick()
  expect(await shown(screen)).toEqual(['before', 'three'])
  say(block, screen, 'a warning\n')
  tick()
  expect(await shown(screen)).toEqual(['before', 'a warning', 'three'])
  screen.write('^C')
  say(block, screen, '\nended\n')
  expect(await shown(screen)).toEqual(['before', 'a warning', '', 'ended'])
  tick()
  block.end()
  tick()
  expect(await shown(screen)).toEqual(['before', 'a warning', '', 'ended'])
})

test('is no wider and no higher than its terminal', async () => {
  const screen = openScreen(8, 4)
  const block = liveBlock(screen)
  block.show(() => Array.from({ length: 20 }, (_, index) => `${index}-is-a-long-line`))
  tick()
  expect(await shown(screen)).toEqual(['0-is-a-', '1-is-a-', '2-is-a-'])
  await screen.resize(6, 2)
  tick()
  expect((await shown(screen)).at(-1)).toBe('0-is-')
})

test('writes nothing when nothing has changed, and ten times a second at most when everything does', () => {
  const written: string[] = []
  const block = liveBlock({ write: (text) => written.push(text), columns: 0, rows: 0 })
  block.show(() => ['the same'])
  vi.advanceTimersByTime(1_000)
  expect(written).toHaveLength(1)
  let count = 0
  block.show(() => [String(count++)])
  written.length = 0
  vi.advanceTimersByTime(1_000)
  expect(written.filter((text) => text.endsWith('\n'))).toHaveLength(10)
})

/** One thing after the other that happens to a terminal; sizes in which no block scrolls away. */
const happening = fc.oneof(
  fc.record({ say: fc.stringMatching(/^[a-z]{1,120}$/) }),
  fc.record({ lines: fc.array(fc.stringMatching(/^[A-Z ]{0,100}[A-Z]$/), { maxLength: 8 }) }),
  fc.record({ columns: fc.integer({ min: 40, max: 110 }), rows: fc.integer({ min: 26, max: 40 }) }),
)

test('leaves what was said and nothing else, whatever it showed and however its terminal was resized', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 30 }), async (happenings) => {
      const screen = openScreen(80, 30)
      const block = liveBlock(screen)
      const said: string[] = []
      let lines: readonly string[] = []
      block.show(() => lines)
      for (const one of happenings) {
        if ('say' in one) {
          said.push(one.say)
          say(block, screen, `${one.say}\n`)
        }
        if ('lines' in one) lines = one.lines
        if ('columns' in one) await screen.resize(one.columns, one.rows)
        tick()
        expect(await shown(screen)).toEqual(
          [...said, ...lines.map((line) => line.slice(0, screen.columns - 1).trimEnd())]
            .join('\n')
            .trimEnd()
            .split('\n'),
        )
      }
      block.end()
      expect(await shown(screen)).toEqual(said.length > 0 ? said : [''])
    }),
    { numRuns: 300 },
  )
})
