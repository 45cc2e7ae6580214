/**
 * The one command that nodes are asked to run, and how root is reached with it.
 *
 * It is fixed, so that a line of a sudoers file can name it: whoever has that line can be root on the node by this
 * command and by no other. What it is to do comes on its standard input.
 *
 * Nothing that a login shell's start-up files export reaches it, not even the PATH in which `sudo` and `cat` are looked
 * for, and sudo's complaints are in the language that we read.
 */

import { NotTrusted, type Reply } from './transport.ts'

/** Where root alone may write; nothing that runs on a node is looked for elsewhere. */
export const ENVIRONMENT = 'LC_ALL=C PATH=/usr/sbin:/sbin:/usr/bin:/bin'

/**
 * Reads the size of a script and then the script, and leaves what follows to it. Not `sh -s`: bash reads a script on stdin
 * byte by byte, which takes seconds for a large bundle.
 */
const PROGRAM = 'read -r size && eval "$(head -c "$size")"'

/** `sudoer` is the user whose login becomes root's by sudo; absent where the login is enough as it is. */
export function commandFor(sudoer: string | undefined): string {
  const become = sudoer === undefined ? '' : 'sudo -n '
  return `/usr/bin/env -i ${ENVIRONMENT} ${become}/bin/sh -c '${PROGRAM}'`
}

/** What the command reads of a script; more can follow. */
export function inputOf(script: string): string {
  return `${Buffer.byteLength(script)}\n${script}`
}

/** Allows exactly our command. In a sudoers file quotes are characters like others, and arguments are joined by blanks. */
export function sudoersLine(user: string): string {
  return `${nameInSudoers(user)} ALL=(root) NOPASSWD: /bin/sh -c ${PROGRAM}`
}

/** Why nothing ran as root; undefined where it was not sudo that kept it from running. */
export function explainSudo(sudoer: string, { code, stderr }: Reply): NotTrusted | undefined {
  const said = stderr.split('\n').findLast((line) => /\bsudo(ers)?\b|^Sorry, user /.test(line))
  if (!SUDO_FAILED.has(code) || said === undefined) return undefined
  if (code !== 1) return new NotTrusted(`sudo cannot be run there: ${said}`, adviseRoot(sudoer))
  if (said.includes('must have a tty')) {
    return new NotTrusted(
      `sudo wants a terminal from ${sudoer} (requiretty), and there is none`,
      `put this line into ${FILE} on the node, besides the one for our command: Defaults:${nameInSudoers(sudoer)} !requiretty`,
    )
  }
  const allow = `put this line into ${FILE} on the node (mode 0440, visudo -c checks it): ${sudoersLine(sudoer)}`
  if (said.includes('password is required')) {
    return new NotTrusted(
      `sudo wants a password from ${sudoer}: no sudoers line there allows our command without`,
      allow,
    )
  }
  return new NotTrusted(`sudo refused ${sudoer}: ${said}`, allow)
}

const FILE = '/etc/sudoers.d/edgepush'

/** Of sudo itself, and of env when it cannot run sudo. What we send to our command makes it end with none of them. */
const SUDO_FAILED: ReadonlySet<number> = new Set([1, 126, 127])

function adviseRoot(sudoer: string): string {
  return `install sudo on the node, or log in as root: in the inventory's ssh map no "become", and another user than ${sudoer}`
}

/** Capitals alone would be the name of an alias there. */
function nameInSudoers(user: string): string {
  return /^[A-Z]/.test(user) ? `"${user}"` : user
}
