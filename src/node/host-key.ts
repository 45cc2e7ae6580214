/** The trust in one node: what its known_hosts files hold, and what to tell a person when that is not enough. */

import { readFile, stat } from 'node:fs/promises'
import type { ServerHostKeyAlgorithm } from 'ssh2'
import { fingerprint, keyType } from './fingerprint.ts'
import {
  checkHostKey,
  type HostKeyVerdict,
  type KnownHost,
  type KnownHosts,
  knownHostName,
  parseKnownHosts,
  selectKnownHosts,
} from './known-hosts.ts'
import { NotTrusted, type Target } from './transport.ts'

export const ALGORITHMS: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
]

/** What all known_hosts files say of this node; a file that is not there says nothing. */
export async function readKnownHosts(target: Target): Promise<readonly KnownHost[]> {
  const files = await Promise.all(target.knownHosts.map(readFileOnce))
  return files.flatMap((file) => selectKnownHosts(file, target.host, target.port))
}

/** As they were read last: all nodes have the same files, with a line for each of them. */
const read = new Map<string, { readonly stamp: string; readonly hosts: KnownHosts }>()

/** Read again when it looks different: whoever adds or revokes a key is heard by the next connection. */
async function readFileOnce(file: string): Promise<KnownHosts> {
  const stamp = await stampOf(file)
  const last = read.get(file)
  if (last && stamp !== undefined && last.stamp === stamp) return last.hosts
  const hosts = parseKnownHosts(await readText(file), file)
  if (stamp === undefined) read.delete(file)
  else read.set(file, { stamp, hosts })
  return hosts
}

/** Undefined where it does not tell: a file that was written a moment ago may be written again without looking different. */
async function stampOf(file: string): Promise<string | undefined> {
  const stats = await stat(file).catch(() => undefined)
  if (!stats || Date.now() - Math.max(stats.mtimeMs, stats.ctimeMs) < SETTLED) return undefined
  return [stats.dev, stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs].join(' ')
}

const SETTLED = 2_000

/**
 * The types we know come first, so that a node known by its ed25519 key is not asked for its ecdsa key. The others stay
 * on offer: a node that has none of ours is then refused by the key it shows, not for want of a common algorithm.
 */
export function orderHostKeyAlgorithms(known: readonly KnownHost[]): ServerHostKeyAlgorithm[] {
  const types = known.filter((entry) => entry.marker === undefined).map((entry) => entry.type)
  const preferred = ALGORITHMS.filter((algorithm) => types.includes(typeOf(algorithm)))
  return [...preferred, ...ALGORITHMS.filter((algorithm) => !preferred.includes(algorithm))]
}

/** The type of the key that an algorithm signs with. */
export function typeOf(algorithm: ServerHostKeyAlgorithm): string {
  return algorithm.replace(/^rsa-sha2-.*/, 'ssh-rsa')
}

/** Undefined when the key is the one we know. */
export function refuseHostKey(target: Target, known: readonly KnownHost[], key: Buffer): NotTrusted | undefined {
  const verdict = checkHostKey(known, key)
  if (verdict.is === 'known') return undefined
  const shown = `${target.name} (${knownHostName(target.host, target.port)}) shows the host key ${nameKey(key)}`
  return new NotTrusted(`${shown}, ${explain(target, verdict)}`, advise(target, verdict, key))
}

function explain(target: Target, verdict: HostKeyVerdict): string {
  if (verdict.is === 'revoked') return `which ${locate(verdict.by)} revokes`
  if (verdict.is !== 'unknown') return `but is known by ${nameKey(verdict.by.key)} (${locate(verdict.by)})`
  if (verdict.authority) return `and ${locate(verdict.authority)} only trusts certificates, which are not supported`
  return `which is not in ${target.knownHosts.join(' or ') || 'a known_hosts file: none is configured'}`
}

function advise(target: Target, verdict: HostKeyVerdict, key: Buffer): string {
  const kind = (keyType(key) ?? '').replace(/^ssh-/, '').replace(/-.*/, '')
  const add =
    `compare it with \`ssh-keygen -lf /etc/ssh/ssh_host_${kind}_key.pub\` on the node's console; if it is the same: ` +
    adding(target, kind, key)
  if (verdict.is === 'unknown') return add
  if (verdict.is === 'revoked') return 'give the node a new host key: whoever holds this one may not be the node'

  const name = quote(knownHostName(target.host, target.port))
  const remove = `ssh-keygen -R ${name} -f ${quote(verdict.by.file)}`
  return `someone may be in between. If the node was installed anew, ${add}, after: ${remove}`
}

/** The host of a view and a jump host are in no inventory, so `edgepush trust` does not know it. */
function adding(target: Target, kind: string, key: Buffer): string {
  const { name, inventory, host, port, user, knownHosts, jump = [] } = target
  if (inventory !== undefined) {
    return `edgepush trust add -i ${quote(inventory)} --node ${quote(name)} --fingerprint ${fingerprint(key)}`
  }
  const file = quote(knownHosts[0] ?? '~/.ssh/known_hosts')
  if (jump.length === 0) return `ssh-keyscan -p ${port} -t ${kind} ${quote(host)} >> ${file}`
  return `ssh -o UserKnownHostsFile=${file} -J ${quote(jump.join(','))} -p ${port} ${user}@${quote(host)} true`
}

function nameKey(key: Buffer): string {
  return `${keyType(key) ?? 'of no type'} ${fingerprint(key)}`
}

function locate(entry: KnownHost): string {
  return `${entry.file}:${entry.line}`
}

/** For a shell, where `[host]:port` is a pattern. */
function quote(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return ''
    throw new NotTrusted(`cannot read the known_hosts file ${file}: ${code}`, `ls -l ${quote(file)}`)
  }
}
