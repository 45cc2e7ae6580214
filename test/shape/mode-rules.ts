/** What belongs to a mode, as a function from a repository and its list of modes to sentences about what was forgotten. */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { persistence } from '../../src/artifacts/persistence.ts'
import { PLAYBOOK_SCHEMA } from '../../src/config/playbook.schema.ts'
import type { Duty, Mode } from '../../src/modes/mode.ts'

/** Variables that the shell, or the apply script, lives by: an option of that name would change them. */
const RESERVED =
  /^(PATH|IFS|HOME|PWD|OLDPWD|ENV|LC_.*|LANG|PS[124]|OPTARG|OPTIND|PPID|CDPATH|MAIL.*|SHELL|TMPDIR|EDGEPUSH.*)$/

/** That a node takes a new connection is not asked of the node. */
const NAMED_BY_PLAYBOOKS = new RegExp(
  `^(?!reconnect$)(?:${PLAYBOOK_SCHEMA.properties.stages.items.properties.verify.items.pattern})`,
)

/** What a node should hold, and what of it is left by a flush; the first also has what is not of one artifact. */
const TEMPLATE_FOLDERS = ['.', 'flushed', 'skeleton'] as const
const OTHERS = { '.': ['flushed', 'skeleton', 'meter.sh.hbs'], flushed: [], skeleton: [] }

export function forgotten(root: string, modes: readonly Mode[]): readonly string[] {
  const names = modes.map(folderOf)
  return [
    ...difference(
      foldersOf(join(root, 'src/modes')),
      names,
      (name) => `src/modes/${name} is not in src/modes/index.ts`,
    ),
    ...difference(
      foldersOf(join(root, 'templates')),
      [...names, 'node', 'units'],
      (name) => `templates/${name} is of no mode`,
    ),
    ...difference(foldersOf(join(root, 'test/cases')), names, (name) => `test/cases/${name} is of no mode`),
    ...repeated(names).map((name) => `two modes are called ${name}`),
    ...modes.flatMap((mode) => [...missingFiles(root, mode), ...defects(mode)]),
  ]
}

function missingFiles(root: string, mode: Mode): readonly string[] {
  const folder = folderOf(mode)
  const wanted = ['index.ts', 'desired.ts', 'README.md'].map((file) => `src/modes/${folder}/${file}`)
  const artifacts = Object.values(mode.duties).flatMap((duty) => duty.artifacts)
  const templates = [...new Set(artifacts.map(({ name }) => `${name}.hbs`))]
  const cases = foldersOf(join(root, 'test/cases', folder)).map((name) => `test/cases/${folder}/${name}`)
  const ofCases = cases.flatMap((path) => {
    const isConfigured = mode.conf && existsSync(join(root, path, 'eucalyptus.conf'))
    const view = isConfigured ? ['eucalyptus.conf', 'instances.yml'] : ['view.xml']
    return [...view, 'inventory.yml', 'expected'].map((file) => `${path}/${file}`)
  })
  return [
    ...[...wanted, ...templates.map((file) => `templates/${folder}/${file}`), ...ofCases]
      .filter((path) => !existsSync(join(root, path)))
      .map((path) => `there is no ${path}`),
    ...(cases.length === 0 ? [`there is no case in test/cases/${folder}`] : []),
    ...TEMPLATE_FOLDERS.flatMap((kind) =>
      difference(entriesOf(join(root, 'templates', folder, kind)), [...templates, ...OTHERS[kind]], (file) => {
        return `templates/${join(folder, kind, file)} is of no artifact`
      }),
    ),
  ]
}

function defects({ name, duties }: Mode): readonly string[] {
  return Object.values(duties).flatMap((duty) => dutyDefects(name, duty))
}

function dutyDefects(mode: string, { artifacts: own, checks, options }: Duty): readonly string[] {
  const artifacts = [...own, persistence]
  const names = artifacts.map((artifact) => artifact.name)
  const files = artifacts.map(({ file }) => file)
  const checkNames = checks.map((check) => check.name)
  const optionNames = options.map((option) => option.name)
  return [
    ...repeated(names).map((artifact) => `two artifacts are called ${artifact}`),
    ...repeated(files).map((file) => `two artifacts make ${file}`),
    ...repeated(checkNames).map((check) => `two checks are called ${check}`),
    ...repeated(optionNames).map((option) => `two options are called ${option}`),
    ...names
      .filter((artifact) => !/^[a-z][a-z0-9_]*$/.test(artifact))
      .map((artifact) => `no shell function is called ${artifact}_show`),
    ...checkNames
      .filter((check) => !/^[a-z][a-z0-9_]*$/.test(check))
      .map((check) => `no shell function is called try_${check}`),
    ...checkNames.filter((check) => !NAMED_BY_PLAYBOOKS.test(check)).map((check) => `no playbook can name ${check}`),
    ...files
      .filter((file) => !/^[a-z][a-z0-9.-]*$/.test(file) || /^(apply\.sh|manifest\.json|expected|blocked)$/.test(file))
      .map((file) => `no file of a bundle is called ${file}`),
    ...artifacts
      .flatMap(({ needs }) => needs.filter((need) => !/^[a-z][a-z0-9.-]*$/.test(need)))
      .map((need) => `no command is called ${need}`),
    ...optionNames
      .filter((option) => !/^[A-Z][A-Z0-9_]*$/.test(option) || RESERVED.test(option))
      .map((option) => `no option is called ${option}`),
    ...options.flatMap(({ name: option, fallback, check }) => {
      const problem = fallback === undefined ? undefined : check(fallback)
      return problem === undefined ? [] : [`the fallback of ${option} ${problem}`]
    }),
  ].map((defect) => `${mode}: ${defect}`)
}

function folderOf({ name }: Mode): string {
  return name.toLowerCase()
}

function difference(
  all: readonly string[],
  known: readonly string[],
  say: (name: string) => string,
): readonly string[] {
  return all.filter((name) => !known.includes(name)).map(say)
}

function repeated(names: readonly string[]): readonly string[] {
  return names.filter((name, index) => names.indexOf(name) !== index)
}

function foldersOf(path: string): readonly string[] {
  return entriesOf(path).filter((name) => !name.includes('.'))
}

function entriesOf(path: string): readonly string[] {
  return existsSync(path) ? readdirSync(path).toSorted() : []
}
