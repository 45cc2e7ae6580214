// Tests of the lab run the CLI as it is shipped, so before the first of them it has to be built from these sources.

import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

export function setup(): void {
  // Two runs beside each other must not rewrite the build under each other without need.
  if (builtAt() > changedAt()) return
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const { status } = spawnSync(tsc, ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
  // What has errors of type is built all the same; finding those is for the type check.
  if (status !== 0) console.error('The build has errors: tests of the lab run what came out of it.')
}

function builtAt(): number {
  return modifiedAt('dist/cli.js')
}

/** Folders too, for a file that is gone must not live on in the build. */
function changedAt(): number {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map((path) => join('src', path))
  return Math.max(...['tsconfig.json', 'tsconfig.build.json', ...sources].map(modifiedAt))
}

function modifiedAt(path: string): number {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
}
