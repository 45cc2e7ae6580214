import { expect, test } from 'vitest'
import { didYouMean } from '../../src/config/did-you-mean.ts'

test.each<[string, readonly string[], string]>([
  ['optoins', ['options', 'role'], ' (did you mean "options"?)'],
  ['NC_ROUTR', ['NC_ROUTER', 'NC_ROUTER_IP', 'NC_PROXY'], ' (did you mean "NC_ROUTER"?)'],
  ['Role', ['role'], ' (did you mean "role"?)'],
  ['nc-04', ['nc-01', 'nc-40', 'nc-05'], ' (did you mean "nc-01", "nc-05" or "nc-40"?)'],
  ['nc-04', ['nc-09', 'nc-08', 'nc-07', 'nc-06'], ' (did you mean "nc-06", "nc-07" or "nc-08"?)'],
  ['ab', ['xy', 'abc', 'abc'], ' (did you mean "abc"?)'],
  ['ab', ['xy', 'abcd'], ''],
  ['', ['ab'], ''],
  ['ab', [], ''],
])('%s among %j', (written, known, hint) => {
  expect(didYouMean(written, known)).toBe(hint)
})
