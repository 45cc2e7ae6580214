/**
 * Where the control sockets of OpenSSH's connections are: a folder that only we may enter, as long as we live. However we
 * end, what is connected there then is ended, and the folder is removed.
 */

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { leaveBehind } from './programs.ts'

export interface SocketFolder {
  /** The path of a socket that is not there yet. */
  next(): string
  remove(): void
}

const SWEEP = `
for socket in "$1"/*; do
  ssh -F none -S "$socket" -O exit none &
done
wait
rm -rf "$1"
`

/** Made with the first socket. */
export function socketFolder(): SocketFolder {
  let made: { readonly path: string; readonly remove: () => void } | undefined
  let count = 0
  return {
    next() {
      made ??= make()
      count += 1
      return join(made.path, `${count}`)
    },
    remove() {
      made?.remove()
      made = undefined
    },
  }
}

function make() {
  const path = mkdtempSync(join(tmpdir(), 'edgepush-'))
  return { path, remove: leaveBehind(SWEEP, [path]) }
}
