// What can be shown where no lab can run: the lab's sample, rendered for review.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { packageRoot } from '../start-agent.ts'
import type { Screen } from './screen.ts'

/** The exit status: not being able to run a lab is no failure, not being able to render is. */
export function renderSample(missing: readonly string[], { print, paint }: Screen): number {
  print('The lab of real nodes cannot run here. What is missing:')
  for (const what of missing) print(`  ${what}`)
  print('\nSo here is what a push would bring to its nodes, as files for review:\n')

  const root = packageRoot()
  const sample = join(root, 'lab', 'sample')
  const folder = mkdtempSync(join(tmpdir(), 'edgepush-demo-'))
  try {
    const argv = [
      'render',
      '-i',
      join(sample, 'inventory.yml'),
      '--view',
      join(sample, 'view.xml'),
      '--out',
      'rendered',
    ]
    print(paint.strong(`$ node dist/cli.js ${argv.map((word) => relativeTo(root, word)).join(' ')}`))
    const cli = [join(root, 'dist', 'cli.js'), ...argv]
    const { status, stdout, stderr } = spawnSync(process.execPath, cli, { cwd: folder, encoding: 'utf8' })
    if (status !== 0) {
      print(paint.bad(stderr))
      return 1
    }
    print(stdout.trimEnd())
    print(excerpt(join(folder, 'rendered', 'nc-01'), paint.strong))
    return 0
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The heart of it: who is in which group, and whom a group lets in. */
function excerpt(folder: string, strong: (text: string) => string): string {
  const parts = ['ipset.restore', 'iptables.restore'].map((name) => {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n')
    const chosen = lines.filter((line) => /^(add|-A) sg-/.test(line))
    return [`\n${strong(`rendered/nc-01/${name}`)}, of ${lines.length - 1} lines those about groups:`, ...chosen].join(
      '\n',
    )
  })
  return parts.join('\n')
}

function relativeTo(root: string, word: string): string {
  return word.startsWith('/') ? relative(root, word) : word
}
