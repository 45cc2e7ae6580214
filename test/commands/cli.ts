/** The command as a user types it: the build of these sources, in a process of its own, in nobody's home. */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
export const CLI = join(ROOT, 'dist/cli.js')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Where a user has an inventory with all facts declared, and a view. */
export const CASE = join(ROOT, 'test/cases/edge/one-cluster')

/** Without a folder for it, the state is gone afterwards. */
export async function edgepush(args: readonly string[], cwd: string = ROOT, state?: string): Promise<Ended> {
  const home = mkdtempSync(join(tmpdir(), 'edgepush-home-'))
  try {
    return await execute(args, cwd, {
      PATH: process.env.PATH,
      HOME: home,
      EDGEPUSH_STATE: state ?? join(home, 'state'),
    })
  } finally {
    rmSync(home, { recursive: true })
  }
}

function execute(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  const child = spawn(process.execPath, [CLI, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...said }))
  })
}
