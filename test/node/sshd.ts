/** A real sshd on this machine, with keys and files of its own. */

import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Target } from '../../src/node/transport.ts'
import { startChild } from './child.ts'
import { createKey, readPublicKey } from './keys.ts'
import { findPort } from './listener.ts'

export interface Sshd {
  /** With a key that is accepted and a known_hosts file that is right. */
  readonly target: Target
  /** Holds `host_key`, `user_key` and whatever a test puts there. */
  readonly folder: string
  /** The name of this server in a known_hosts file. */
  readonly name: string
  log(): string
  stop(): Promise<void>
}

export async function startSshd(host: string, settings: readonly string[]): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), 'sshd-'))
  const port = await findPort(host)
  const name = `[${host}]:${port}`
  const key = createKey(join(folder, 'user_key'))
  copyFileSync(`${key}.pub`, join(folder, 'authorized_keys'))
  const knownHosts = join(folder, 'known_hosts')
  writeFileSync(knownHosts, `${name} ${readPublicKey(createKey(join(folder, 'host_key')))}\n`)

  const config = join(folder, 'sshd_config')
  writeFileSync(config, `${configure(folder, host, port, settings).join('\n')}\n`)
  mkdirSync('/run/sshd', { recursive: true })
  const child = await startChild('/usr/sbin/sshd', ['-D', '-e', '-f', config], /Server listening on/)
  return {
    target: {
      name: 'nc-01',
      host,
      port,
      user: userInfo().username,
      key,
      knownHosts: [knownHosts],
      connectTimeout: 20_000,
    },
    folder,
    name,
    log: child.output,
    async stop() {
      await child.end()
      rmSync(folder, { recursive: true })
    },
  }
}

function configure(folder: string, host: string, port: number, settings: readonly string[]): readonly string[] {
  return [
    ...settings,
    `ListenAddress ${host}:${port}`,
    `HostKey ${folder}/host_key`,
    `AuthorizedKeysFile ${folder}/authorized_keys`,
    `PidFile ${folder}/pid`,
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'LogLevel VERBOSE',
    // A shell that believes to be nested reads no start-up file, which may be slow or print something.
    'SetEnv SHLVL=9',
  ]
}
