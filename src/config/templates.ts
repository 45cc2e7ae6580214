import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Templates } from '../bundle/templates.ts'
import { byName } from './by-name.ts'
import { packageFolder } from './package.ts'

/** Frozen and in order; what editors leave behind is not a template. */
export function packageTemplates(): Templates {
  return readTemplates(join(packageFolder(), 'templates'))
}

export function readTemplates(folder: string): Templates {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => /\.(hbs|sh)$/.test(path))
  const templates = paths.toSorted(byName).map((path) => [path, readFileSync(join(folder, path), 'utf8')])
  return Object.freeze(Object.fromEntries(templates))
}
