// What a mistake of ours would bring to a node: bundles that are wrong, and whole releases that make them.

import { createHash } from 'node:crypto'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Lab } from '../../../lab/make-lab.ts'
import type { Station } from '../../../lab/probes-from.ts'
import { packageRoot } from '../../../lab/start-agent.ts'
import type { Bundle } from '../../../src/bundle/bundle.ts'
import type { Connection } from '../../../src/node/transport.ts'
import { type Pushed, readPushed } from '../push.ts'

export type Edit = (text: string) => string

/** The bundle with a file edited; its digests are right. */
export function spoil(bundle: Bundle, file: string, edit: Edit): Bundle {
  const original = bundle.files.find(({ name }) => name === file)?.text ?? ''
  const edited = edit(original)
  if (edited === original) throw new Error(`nothing of ${file} was edited`)
  const files = bundle.files.map(({ name, text }) => ({ name, text: name === file ? edited : text }))
  const manifest = (text: string) => text.replace(sha256(original), sha256(edited))
  const digested = files.map(({ name, text }) => ({ name, text: name === 'manifest.json' ? manifest(text) : text }))
  return {
    ...bundle,
    files: digested,
    digest: sha256(digested.find(({ name }) => name === 'manifest.json')?.text ?? ''),
  }
}

/** A login without SSH: commands begin in the node itself. Whatever one of them asks, it may begin. */
export function loginTo(node: Station): Connection {
  return {
    run: async (command, input, timeout) => await node.exec(command, { stdin: `${input}go\n`, timeout }),
    whyLost: () => undefined,
    close: () => undefined,
  }
}

/** A release of which one file is edited; it answers to pushes as the real one does. */
export async function spoiltRelease(lab: Lab, name: string, file: string, edit: Edit) {
  const folder = join(lab.files.directory, name)
  await mkdir(folder)
  for (const part of ['dist', 'templates', 'package.json']) {
    await cp(join(packageRoot(), part), join(folder, part), { recursive: true })
  }
  await symlink(join(packageRoot(), 'node_modules'), join(folder, 'node_modules'))
  const text = await readFile(join(folder, file), 'utf8')
  if (edit(text) === text) throw new Error(`nothing of ${file} was edited`)
  await writeFile(join(folder, file), edit(text))
  return async (...args: readonly string[]): Promise<Pushed> => {
    const argv = [process.execPath, join(folder, 'dist/cli.js'), 'push', ...args, '--json']
    return readPushed(await lab.admin.exec(argv, { cwd: lab.files.directory, timeout: 90_000 }))
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
