/** The filters as a node runs them. */

import { spawnSync } from 'node:child_process'
import { edge } from '../../src/modes/edge/index.ts'
import { dutyOf } from '../../src/modes/mode.ts'

/** As a node shows it, with the chains in their order. */
export function canonical(text: string): string {
  const functions = dutyOf(edge, 'nc').artifacts.find(({ name }) => name === 'iptables')?.functions ?? ''
  return run(`blocked=/nonexistent\n${functions}\niptables_canonical`, text)
}

export function normal(filter: string, text: string): string {
  return run(`LC_ALL=C; export LC_ALL\n${filter}`, text)
}

function run(script: string, input: string): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], { input, encoding: 'utf8' })
  if (status !== 0 || stderr !== '') throw new Error(stderr)
  return stdout
}
