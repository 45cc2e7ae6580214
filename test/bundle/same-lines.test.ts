/** The look that spares a node eight processes says that two texts differ only where they do. */

import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compile } from '../../src/bundle/compile.ts'
import { shells } from '../shells.ts'
import { anyAsked, taskOf } from './any-task.ts'
import { textOf } from './rule-set.ts'

const [asked] = fc.sample(anyAsked, { numRuns: 1, seed: 1 })
const script = asked ? textOf(compile(taskOf(asked)), 'apply.sh') : ''
const [, same = ''] = /^(same_lines\(\) .*?^\})$/ms.exec(script) ?? []

const lines = fc.array(fc.constantFrom('-A a', '-A b', '', '# c', '#/', 'x%s\\n', '0'), { minLength: 1, maxLength: 8 })
const shuffled = lines.chain((one) =>
  fc
    .shuffledSubarray(one, { minLength: one.length })
    .chain((other) => fc.tuple(fc.constant(one), fc.oneof(fc.constant(other), lines))),
)

describe.each(shells())('%s', ({ command, args }) => {
  it('finds the same lines in any order, and no others', () => {
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        const texts = [one, other].map((text) => text.join('\n'))
        fc.pre(texts[0]?.length === texts[1]?.length)
        const { status, stderr } = spawnSync(
          command,
          [...args, '-c', `${same}\nsame_lines "$1" "$2"`, 'sh', ...texts],
          { encoding: 'utf8' },
        )
        expect(stderr).toBe('')
        const isSame = one.toSorted().join('\n') === other.toSorted().join('\n')
        // Who is told that they are the same looks further; where a line is the one between them, they may seem to differ.
        if (!one.includes('#/')) expect(status).toBe(isSame ? 0 : 1)
        else if (!isSame) expect(status).toBe(1)
      }),
      { numRuns: 100 },
    )
  })
})
