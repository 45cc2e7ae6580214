/** What `--help` prints, as reviewed: every command that the program lists has its page here. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { edgepush } from './cli.ts'

const PAGES = join(import.meta.dirname, 'help')

const overview = await edgepush(['--help'])
const commands = [...overview.stdout.matchAll(/^ {2}([a-z][a-z-]*) /gm)].flatMap(([, name]) => {
  return name === undefined || name === 'help' ? [] : [name]
})

it('of the program', async () => {
  expect(overview).toMatchObject({ code: 0, stderr: '' })
  await expect(overview.stdout).toMatchFileSnapshot(join(PAGES, 'edgepush.txt'))
})

it.each(commands)('of %s', async (command) => {
  const { code, stdout, stderr } = await edgepush([command, '--help'])
  expect([code, stderr]).toEqual([0, ''])
  await expect(stdout).toMatchFileSnapshot(join(PAGES, `${command}.txt`))
  expect(await edgepush(['help', command])).toEqual({ code, stdout, stderr })
  expect(stdout).toContain(`\nExample:\n  edgepush ${command} `)
})

it('of nothing else', () => {
  expect(commands).toContain('push')
  expect(new Set(readdirSync(PAGES))).toEqual(new Set(['edgepush', ...commands].map((name) => `${name}.txt`)))
})
