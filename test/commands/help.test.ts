/** What `--help` prints, as reviewed: every command that the program lists has its page here. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { edgepush } from './cli.ts'

const PAGES = join(import.meta.dirname, 'help')

const overview = await edgepush(['--help'])
const commands: readonly string[] = [
  ...namesIn(overview.stdout),
  ...(await Promise.all(namesIn(overview.stdout).map(namesBelow))).flat(),
]

function namesIn(help: string): readonly string[] {
  const list = /\nCommands:\n(.*?)(?:\n\n|$)/s.exec(help)?.[1] ?? ''
  return [...list.matchAll(/^ {2}([a-z][a-z-]*) /gm)].flatMap(([, name = '']) => (name === 'help' ? [] : [name]))
}

async function namesBelow(name: string): Promise<readonly string[]> {
  const { stdout } = await edgepush([name, '--help'])
  return namesIn(stdout).map((below) => `${name} ${below}`)
}

it('of the program', async () => {
  expect(overview).toMatchObject({ code: 0, stderr: '' })
  await expect(overview.stdout).toMatchFileSnapshot(join(PAGES, 'edgepush.txt'))
})

it.each(commands)('of %s', async (command) => {
  const words = command.split(' ')
  const { code, stdout, stderr } = await edgepush([...words, '--help'])
  expect([code, stderr]).toEqual([0, ''])
  await expect(stdout).toMatchFileSnapshot(join(PAGES, fileOf(command)))
  if (words.length === 1) expect(await edgepush(['help', command])).toEqual({ code, stdout, stderr })
  expect(stdout).toMatch(new RegExp(`\nExample:\n  edgepush ${command}\\s`))
})

it('of nothing else', () => {
  expect(commands).toContain('push')
  expect(new Set(readdirSync(PAGES))).toEqual(new Set(['edgepush', ...commands].map(fileOf)))
})

function fileOf(command: string): string {
  return `${command.replace(' ', '-')}.txt`
}
