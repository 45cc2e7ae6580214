/**
 * Private keys in files. An encrypted one is decrypted once for all nodes: its passphrase is in a file that an environment
 * variable names, or asked for at the terminal. It is never an argument, never in a configuration, and in no message.
 */

import { createPrivateKey, sign } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import ssh2, { type ParsedKey } from 'ssh2'
import { NotTrusted } from './transport.ts'

export interface Passphrases {
  /** The file that $EDGEPUSH_PASSPHRASE_FILE names. */
  readonly file?: string | undefined
  /** Asks at the terminal, without echo; absent where nobody sits there, undefined when nothing was answered. */
  readonly ask?: ((question: string) => Promise<string | undefined>) | undefined
}

export interface KeyFile {
  readonly path: string
  readonly text: Buffer
}

/** As often as ssh asks. */
const QUESTIONS = 3

export async function readKeyFile(path: string): Promise<KeyFile> {
  return { path, text: await read(path, 'private key') }
}

/** Undefined when it is encrypted. */
export function parsePlainKey({ path, text }: KeyFile): ParsedKey | undefined {
  const key = ssh2.utils.parseKey(text)
  if (key instanceof Error) {
    if (/encrypted/i.test(key.message) || isPkcs8(text)) return undefined
    throw new NotTrusted(`${path} is not a private key we can read: ${key.message}`, `ssh-keygen -y -f ${path}`)
  }
  if (!key.isPrivateKey()) {
    throw new NotTrusted(`${path} is a public key`, 'name the private key: the same file without .pub')
  }
  return readOnce(key)
}

export async function decryptKey(key: KeyFile, { file, ask }: Passphrases): Promise<ParsedKey> {
  const { path, text } = key
  if (isPkcs8(text)) {
    throw new NotTrusted(`the private key ${path} is encrypted, in a form that only the agent reads`, adviseAgent(path))
  }
  if (file) return withPassphrase(key, await readPassphrase(file)) ?? refuse(path, `, and not by what is in ${file}`)
  if (!ask) return refuse(path, ', and nobody is at a terminal to be asked for its passphrase')

  for (let question = 1; question <= QUESTIONS; question += 1) {
    const answer = await ask(`Passphrase of ${path}${question > 1 ? ' (that was not it)' : ''}: `)
    if (answer === undefined || answer === '') break
    const decrypted = withPassphrase(key, answer)
    if (decrypted) return decrypted
  }
  return refuse(path, ', and its passphrase was not told')
}

/** Of an encrypted key: as its file says, or else the one beside it. Undefined where neither does. */
export async function readPublicPart({ path, text }: KeyFile): Promise<Buffer | undefined> {
  return publicPartOf(text) ?? (await readFile(`${path}.pub`, 'utf8').then(wireOf, () => undefined))
}

/** PROTOCOL.key of OpenSSH: a magic word, the names of cipher and key derivation, its options, a count, the public key. */
function publicPartOf(text: Buffer): Buffer | undefined {
  const [, body] = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]+)-----END/.exec(text.toString('latin1')) ?? []
  if (body === undefined) return undefined
  const bytes = Buffer.from(body, 'base64')
  let at = 'openssh-key-v1\0'.length
  const field = () => {
    const begin = at + 4
    at = begin + bytes.readUInt32BE(at)
    return bytes.subarray(begin, at)
  }
  try {
    for (const _ of ['cipher', 'derivation', 'options']) field()
    at += 4
    return field()
  } catch {
    return undefined
  }
}

function wireOf(line: string): Buffer | undefined {
  const [, encoded] = line.split(' ')
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64')
}

function withPassphrase({ text }: KeyFile, passphrase: string): ParsedKey | undefined {
  const key = ssh2.utils.parseKey(text, passphrase)
  return key instanceof Error ? undefined : readOnce(key)
}

/** The client reads its own form of a key anew for each login, which takes ten times as long as signing. */
function readOnce(key: ParsedKey): ParsedKey {
  // Of other types the client knows by itself which digest is meant.
  if (key.type !== 'ssh-ed25519') return key
  const signer = createPrivateKey(key.getPrivatePEM())
  key.sign = (data) => sign(null, Buffer.from(data), signer)
  return key
}

async function readPassphrase(file: string): Promise<string> {
  const text = await read(file, 'passphrase file')
  const { mode } = await stat(file)
  if ((mode & 0o077) !== 0) {
    throw new NotTrusted(`the passphrase file ${file} may be read by others`, `chmod 600 ${file}`)
  }
  return text.toString('utf8').replace(/\r?\n$/, '')
}

function refuse(path: string, why: string): never {
  throw new NotTrusted(`the private key ${path} is encrypted${why}`, adviseAgent(path))
}

function adviseAgent(path: string): string {
  return `let an agent hold it: eval "$(ssh-agent)" && ssh-add ${path}; or export EDGEPUSH_PASSPHRASE_FILE=FILE, a file that only you may read`
}

async function read(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    throw new NotTrusted(
      `cannot read the ${what} ${path}: ${code === 'ENOENT' ? 'it does not exist' : code}`,
      `ls -l ${path}`,
    )
  }
}

function isPkcs8(text: Buffer): boolean {
  return text.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----')
}
