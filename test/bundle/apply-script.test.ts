/** The script that every bundle carries is one that every node's shell reads. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compile } from '../../src/bundle/compile.ts'
import { packageTemplates } from '../../src/config/templates.ts'
import { shells } from '../shells.ts'
import { anyAsked, taskOf } from './any-task.ts'
import { textOf } from './rule-set.ts'

/** What shellcheck says in vain: its number, the lines it is said of, and why they are right. */
const ACCEPTED: readonly { readonly code: number; readonly line: RegExp; readonly why: string }[] = [
  {
    code: 2034,
    line: /^[A-Z_0-9]+='|^[a-z]+_file='/,
    why: 'options and file names are for all artifacts, used or not',
  },
  { code: 2154, line: /"\$1\/\$file"/, why: 'assigned by eval in the line above' },
  {
    code: 2086,
    line: /\$(wrong|wait|artifacts|files)( |$)/,
    why: 'words of our own: names of artifacts and files, flags of iptables-restore',
  },
  { code: 2013, line: /for device in \$\(/, why: 'names of interfaces, which have no blanks' },
  {
    code: 2015,
    line: /\|\|( refuse .*| continue| \{)?$/,
    why: 'whichever of the two fails is the failure that is meant',
  },
  { code: 2254, line: /case \$command_line in \$2\)/, why: 'a pattern is meant' },
  { code: 2012, line: /ls -1t "\$state\/gen"/, why: 'names of bundles are digests' },
]

const TEMPLATES = packageTemplates()

const scripts = [
  ...fc.sample(anyAsked, { numRuns: 5, seed: 1 }).map((asked, index) => {
    return [`apply.sh ${index}`, textOf(compile(taskOf(asked)), 'apply.sh')] as const
  }),
  ['probe.sh', `#!/bin/sh\n${TEMPLATES['node/probe.sh']}`] as const,
  ['drift.sh', `#!/bin/sh\n${TEMPLATES['node/probe.sh']}${TEMPLATES['node/drift.sh']}`] as const,
]

const hasShellcheck = spawnSync('shellcheck', ['--version']).status === 0
if (!hasShellcheck) console.error('SKIPPED: shellcheck is not on this machine')

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-script-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

describe.each(scripts)('%s', (_, script) => {
  it.each(shells())('is read by %s', ({ command, args }) => {
    const { status, stderr } = spawnSync(command, [...args, '-n'], { input: script, encoding: 'utf8' })
    expect([stderr, status]).toEqual(['', 0])
  })

  it.skipIf(!hasShellcheck)('has nothing that shellcheck objects to', () => {
    expect(objections(script)).toEqual([])
  })
})

it.skipIf(!hasShellcheck)('shellcheck is listened to', () => {
  expect(objections('#!/bin/sh\nrm -rf $1/*\n')).not.toEqual([])
})

function objections(script: string): readonly string[] {
  const file = join(folder, 'script.sh')
  writeFileSync(file, script)
  const { stdout } = spawnSync('shellcheck', ['--norc', '--shell=sh', '--format=json1', file], { encoding: 'utf8' })
  const { comments }: { readonly comments: readonly Comment[] } = JSON.parse(stdout)
  const lines = script.split('\n')
  return comments
    .map(({ code, line, message }) => ({ code, message, text: lines[line - 1] ?? '' }))
    .filter(({ code, text }) => !ACCEPTED.some((accepted) => accepted.code === code && accepted.line.test(text)))
    .map(({ code, message, text }) => `SC${code} ${message}: ${text}`)
}

interface Comment {
  readonly code: number
  readonly line: number
  readonly message: string
}
