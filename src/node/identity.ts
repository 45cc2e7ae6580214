/** Whom we log in as: a private key from a file, or whatever the agent holds. Key material never reaches a message. */

import { readFile } from 'node:fs/promises'
import ssh2, { type AgentAuthMethod, type ParsedKey, type PublicKeyAuthMethod } from 'ssh2'
import { fingerprint } from './fingerprint.ts'
import { NotTrusted, type Target } from './transport.ts'

export interface Identity {
  readonly auth: PublicKeyAuthMethod | AgentAuthMethod
  /** What was offered to the node, for the message when it accepted none of it. */
  describe(): Promise<string>
}

export async function loadIdentity(target: Target, agent: string | undefined): Promise<Identity> {
  if (target.key !== undefined) return identifyByFile(target.user, target.key)
  if (agent) return identifyByAgent(target.user, agent)
  throw new NotTrusted(
    `no key to log in to ${target.name} with: none is configured, and no ssh-agent is running`,
    'name a private key in the inventory, or start an agent: eval "$(ssh-agent)" && ssh-add',
  )
}

async function identifyByFile(username: string, file: string): Promise<Identity> {
  const key = parsePrivateKey(await readKeyFile(file), file)
  return {
    auth: { type: 'publickey', username, key },
    async describe() {
      return `the key ${file} (${nameKey(key)})`
    },
  }
}

function identifyByAgent(username: string, socket: string): Identity {
  const agent = new ssh2.OpenSSHAgent(socket)
  return {
    auth: { type: 'agent', username, agent },
    async describe() {
      const keys = await listKeys(agent)
      if (!keys) return `a key of the ssh-agent, but nothing answers at ${socket}`
      if (keys.length === 0) return `a key of the ssh-agent at ${socket}, but it holds none`
      return `the keys of the ssh-agent at ${socket} (${keys.map(nameKey).join(', ')})`
    },
  }
}

function parsePrivateKey(text: Buffer, file: string): ParsedKey {
  const key = ssh2.utils.parseKey(text)
  if (key instanceof Error) {
    const encrypted = /encrypted/i.test(key.message) || text.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----')
    if (encrypted) throw new NotTrusted(`the private key ${file} is encrypted`, adviseAgent(file))
    throw new NotTrusted(`${file} is not a private key we can read: ${key.message}`, `ssh-keygen -y -f ${file}`)
  }
  if (!key.isPrivateKey()) {
    throw new NotTrusted(`${file} is a public key`, 'name the private key: the same file without .pub')
  }
  return key
}

function adviseAgent(file: string): string {
  return `let an agent hold it: eval "$(ssh-agent)" && ssh-add ${file}, and configure no key`
}

async function readKeyFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const why = code === 'ENOENT' ? 'it does not exist' : code
    throw new NotTrusted(`cannot read the private key ${file}: ${why}`, `ls -l ${file}`)
  }
}

function listKeys(agent: ssh2.OpenSSHAgent): Promise<readonly ParsedKey[] | undefined> {
  return new Promise((resolve) => {
    agent.getIdentities((error, keys) => resolve(error ? undefined : (keys as ParsedKey[])))
  })
}

function nameKey(key: ParsedKey): string {
  return `${key.type} ${fingerprint(key.getPublicSSH())}`
}
