import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { caseNames, caseNodes } from './cases.ts'

describe.each(caseNames())('%s', (name) => {
  it.each(caseNodes(name))('$name renders as reviewed', async ({ bundle, expected }) => {
    for (const { name: file, text } of bundle.files) await expect(text).toMatchFileSnapshot(join(expected, file))
  })
})
