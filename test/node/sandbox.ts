/**
 * A node in namespaces of this machine: an /etc and a /var/lib of its own, a network with nothing but what is put there.
 * They end with each command; what it wrote to /var/lib stays in the folder.
 */

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connection } from '../../src/node/transport.ts'
import { shellConnection } from './shell-connection.ts'

export interface Sandbox {
  /** What the node calls /var/lib/edgepush. */
  readonly state: string
  /** A file below the node's /etc/eucalyptus. */
  configure(name: string, text: string): void
  /** `world` is shell that runs inside before the command; `input` changes what arrives there. */
  connect(how?: { readonly world?: string; readonly input?: (input: string) => string }): Connection
  remove(): void
}

/** Empty when this machine can have such a node. */
export function sandboxMissing(): string {
  const made = spawnSync('unshare', ['--mount', '--net', 'mount', '-t', 'tmpfs', 'none', '/mnt'])
  return made.status === 0 ? '' : 'the right to make namespaces (root)'
}

export function makeSandbox(): Sandbox {
  const folder = mkdtempSync(join(tmpdir(), 'edgepush-node-'))
  for (const name of ['etc/eucalyptus', 'lib/edgepush']) mkdirSync(join(folder, name), { recursive: true })
  // Where Debian keeps which awk is meant.
  spawnSync('cp', ['-a', '/etc/alternatives', join(folder, 'etc')])
  return {
    state: join(folder, 'lib/edgepush'),
    configure: (name, text) => writeFileSync(join(folder, 'etc/eucalyptus', name), text),
    connect({ world = '', input } = {}) {
      const inside = `mount --bind '${folder}/etc' /etc && mount --bind '${folder}/lib' /var/lib || exit 1\n${world}\nexec "$@"`
      const login = `exec unshare --mount --net sh -c '${inside.replaceAll("'", "'\\''")}' inside "$@"`
      return shellConnection({ login, ...(input && { input }) })
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}
