/** The shells that nodes have as /bin/sh; those of them that are on this machine. */

import { spawnSync } from 'node:child_process'

export interface Shell {
  readonly command: string
  readonly args: readonly string[]
  toString(): string
}

const SHELLS = ['sh', 'dash', 'bash', 'bash --posix', 'busybox sh']

export function shells(): readonly Shell[] {
  const found = SHELLS.filter((line) => runs(line))
  const missing = SHELLS.filter((line) => !found.includes(line))
  if (missing.length > 0) console.error(`SKIPPED: not on this machine: ${missing.join(', ')}`)
  return found.map((line) => {
    const [command = '', ...args] = line.split(' ')
    return { command, args, toString: () => line }
  })
}

function runs(line: string): boolean {
  const [command = '', ...args] = line.split(' ')
  return spawnSync(command, [...args, '-c', 'exit 0']).status === 0
}
