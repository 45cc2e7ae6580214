import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageFolder, packageVersion } from '../../src/config/package.ts'
import { packageTemplates, readTemplates } from '../../src/config/templates.ts'
import { writeFiles } from './files.ts'

const repository = join(import.meta.dirname, '..', '..')

test('reads templates in order by their path, without what editors leave behind', () => {
  const folder = writeFiles({
    'node/apply.sh.hbs': 'sh\n',
    'edge/ipset.hbs': 'sets\n',
    'node/probe.sh': 'ask\n',
    'edge/ipset.hbs~': 'old\n',
    'edge/.ipset.hbs.swp': 'swap',
    'README.md': 'words',
  })
  const templates = readTemplates(folder)
  expect(Object.entries(templates)).toEqual([
    ['edge/ipset.hbs', 'sets\n'],
    ['node/apply.sh.hbs', 'sh\n'],
    ['node/probe.sh', 'ask\n'],
  ])
  expect(Object.isFrozen(templates)).toBe(true)
})

test('finds the package and what is in it from its sources', () => {
  expect(packageFolder()).toBe(repository)
  expect(packageVersion()).toBe(JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')).version)
  expect(packageTemplates()).toEqual(readTemplates(join(repository, 'templates')))
})

test('finds the package that it is installed in, not the one it is used from', () => {
  const folder = writeFiles({
    'package.json': '{ "version": "0.0.1" }',
    'node_modules/edgepush/package.json': '{ "version": "7.8.9", "type": "module" }',
    'node_modules/edgepush/templates/edge/ipset.hbs': 'installed\n',
    'main.mjs': `
      import { packageVersion } from 'edgepush/dist/config/package.js'
      import { packageTemplates } from 'edgepush/dist/config/templates.js'
      console.log(JSON.stringify([packageVersion(), packageTemplates()]))`,
  })
  const dist = join(folder, 'node_modules/edgepush/dist')
  const sources = ['package.ts', 'templates.ts'].map((name) => join(repository, 'src/config', name))
  execFileSync(join(repository, 'node_modules/.bin/tsc'), [
    ...['--outDir', dist, '--rootDir', join(repository, 'src'), '--module', 'nodenext', '--target', 'es2023'],
    ...['--rewriteRelativeImportExtensions', '--types', 'node', '--typeRoots', join(repository, 'node_modules/@types')],
    ...['--noCheck', '--ignoreConfig', ...sources],
  ])
  const said = execFileSync('node', ['main.mjs'], { cwd: folder, encoding: 'utf8' })
  expect(JSON.parse(said)).toEqual(['7.8.9', { 'edge/ipset.hbs': 'installed\n' }])
})
