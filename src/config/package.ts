/** Where this package is, from `src/`, from `dist/` and when it is installed: the nearest folder with a package.json. */

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export function packageFolder(): string {
  return findPackage(dirname(fileURLToPath(import.meta.url)))
}

export function packageVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8'))
  return manifest.version
}

function findPackage(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder
  const parent = dirname(folder)
  if (parent === folder) throw new Error('edgepush is not inside a package: no package.json in any folder above it')
  return findPackage(parent)
}
