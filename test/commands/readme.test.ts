/** What the README lists is what there is: commands, exit codes, guards and checks. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { EXIT } from '../../src/error.ts'
import { MODES } from '../../src/modes/index.ts'
import { BUNDLE_GUARDS, VIEW_GUARDS } from '../../src/run/guard.ts'
import { edgepush } from './cli.ts'

const ROOT = join(import.meta.dirname, '../..')
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

function under(heading: string): string {
  return readme.split(`\n${heading}\n`)[1]?.split(/^#+ /m)[0] ?? ''
}

/** What is spelt as code in the first column of the tables below a heading. */
function firstColumn(heading: string): readonly string[] {
  const cells = [...under(heading).matchAll(/^\| (.*?) \|/gm)].map(([, cell = '']) => cell)
  return cells.flatMap((cell) => [...cell.matchAll(/`([a-z]+)`/g)].map(([, name = '']) => name))
}

it('exit codes, but for the one of a command that is not there yet', () => {
  const said = [...under('### Exit codes').matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, codes = '']) =>
    codes.split(', '),
  )
  const { stalePlan, ...exits } = EXIT
  expect(said.map(Number).toSorted((a, b) => a - b)).toEqual(Object.values(exits).toSorted((a, b) => a - b))
  expect(stalePlan).toBe(9)
})

it('guards', () => {
  expect(firstColumn('### What is refused unless you mean it').toSorted()).toEqual(
    [...Object.keys(VIEW_GUARDS), ...Object.keys(BUNDLE_GUARDS), 'difference'].toSorted(),
  )
})

it('checks that a playbook can name', () => {
  const checks = MODES.flatMap(({ duties }) => Object.values(duties)).flatMap((duty) =>
    duty.checks.map(({ name }) => name),
  )
  const said = firstColumn('### What is verified').filter((name) => name !== 'verify')
  expect(said.toSorted()).toEqual(['reconnect', ...new Set(checks)].toSorted())
})

it('commands', async () => {
  const { stdout } = await edgepush(['--help'])
  const commands = [...stdout.matchAll(/^ {2}([a-z][a-z-]+) /gm)].map(([, name = '']) => name)
  expect(commands.length).toBeGreaterThan(15)
  const told = (name: string) => new RegExp(`(?:edgepush|;) ${name}\\b`).test(readme)
  expect(commands.filter((name) => name !== 'help' && !told(name))).toEqual([])
})

it('files', () => {
  const links = [...readme.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path = '']) => path)
  expect(links.length).toBeGreaterThan(15)
  expect(links.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})
