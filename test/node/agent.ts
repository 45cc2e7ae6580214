/** A real ssh-agent that holds the given keys. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from './child.ts'

export interface Agent {
  readonly socket: string
  stop(): Promise<void>
}

export async function startAgent(keys: readonly string[]): Promise<Agent> {
  const folder = mkdtempSync(join(tmpdir(), 'agent-'))
  const socket = join(folder, 'socket')
  const child = await startChild('ssh-agent', ['-D', '-a', socket], /SSH_AUTH_SOCK/)
  for (const key of keys) execFileSync('ssh-add', [key], { env: { SSH_AUTH_SOCK: socket }, stdio: 'pipe' })
  return {
    socket,
    async stop() {
      await child.end()
      rmSync(folder, { recursive: true })
    },
  }
}
