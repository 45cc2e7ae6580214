/** Keys as ssh-keygen makes and names them. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export function createKey(path: string, passphrase = '', type = 'ed25519'): string {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', '', '-f', path])
  return path
}

/** `ssh-ed25519 AAAA...`, as it stands in authorized_keys and, after a name, in known_hosts. */
export function readPublicKey(path: string): string {
  return readFileSync(`${path}.pub`, 'utf8').trim()
}

export function readFingerprint(path: string): string {
  return execFileSync('ssh-keygen', ['-lf', `${path}.pub`], { encoding: 'utf8' }).split(' ')[1] ?? ''
}
