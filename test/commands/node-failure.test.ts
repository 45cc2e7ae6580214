import { expect, it } from 'vitest'
import { type Failed, worstOf } from '../../src/commands/node-failure.ts'
import { EXIT, type ExitCode } from '../../src/error.ts'

it.each<[string, readonly ExitCode[], ExitCode]>([
  ['nobody', [], EXIT.ok],
  ['somebody who is not there', [EXIT.unreachable, EXIT.unreachable], EXIT.unreachable],
  ['a login that is refused, and somebody who is not there', [EXIT.unreachable, EXIT.noPermission], EXIT.noPermission],
  ['a key that is not here, and somebody who is not there', [EXIT.unreachable, EXIT.noInput], EXIT.noInput],
  [
    'a node that cannot be served, among others',
    [EXIT.unreachable, EXIT.noPermission, EXIT.someFailed],
    EXIT.someFailed,
  ],
])('the worst of %s', (_, codes, worst) => {
  expect(worstOf(codes.map(failure))).toBe(worst)
  expect(worstOf(codes.toReversed().map(failure))).toBe(worst)
})

function failure(exitCode: ExitCode): Failed {
  return { node: 'nc-01', exitCode, message: 'nc-01: why' }
}
