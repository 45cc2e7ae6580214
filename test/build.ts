// Tests of the lab run the CLI as it is shipped, so there has to be a fresh build of it before the first of them.

import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

export function setup(): void {
  // Two test runs beside each other must not pull the build away from under each other without need.
  if (built() > changed()) return
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
}

function built(): number {
  return statSync(join(root, 'dist', 'cli.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function changed(): number {
  const folders = ['src', 'lab'].flatMap((name) => readdirSync(join(root, name), { recursive: true, encoding: 'utf8' })
    .map((path) => join(root, name, path)))
  const files = [...folders, join(root, 'tsconfig.json'), join(root, 'tsconfig.build.json')]
  return Math.max(...files.map((file) => statSync(file).mtimeMs))
}
