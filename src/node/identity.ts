/** Whom we log in as: a private key from a file, or whatever the agent holds. Key material never reaches a message. */

import pLimit from 'p-limit'
import ssh2, { type AgentAuthMethod, type ParsedKey, type PublicKeyAuthMethod } from 'ssh2'
import { fingerprint } from './fingerprint.ts'
import {
  decryptKey,
  type KeyFile,
  type Passphrases,
  parsePlainKey,
  readKeyFile,
  readPublicPart,
} from './private-key.ts'
import { NotTrusted, type Target } from './transport.ts'

export interface Identity {
  readonly auth: PublicKeyAuthMethod | AgentAuthMethod
  /** What was offered to the node, for the message when it accepted none of it. */
  describe(): Promise<string>
}

export type LoadIdentity = (target: Target) => Promise<Identity>

/** A key in a file: what it signs with, and where that is. */
interface Signer {
  readonly auth: { readonly key: ParsedKey } | { readonly agent: OneKeyAgent }
  readonly described: string
}

/** Each file is read once, and each passphrase asked for once, for all nodes and whatever comes of it. */
export function openIdentities(agent: string | undefined, passphrases: Passphrases): LoadIdentity {
  const signers = new Map<string, Promise<Signer>>()
  const oneByOne = pLimit(1)
  const decrypt = (file: KeyFile) => oneByOne(decryptKey, file, passphrases)
  return async ({ name, user, key }) => {
    if (key !== undefined) {
      const signer = signers.get(key) ?? loadSigner(key, agent, decrypt)
      signers.set(key, signer)
      return identifyBy(user, await signer)
    }
    if (agent) return identifyByAgent(user, agent)
    throw new NotTrusted(
      `no key to log in to ${name} with: none is configured, and no ssh-agent is running`,
      'name a private key in the inventory, or start an agent: eval "$(ssh-agent)" && ssh-add',
    )
  }
}

function identifyBy(username: string, { auth, described }: Signer): Identity {
  const describe = async () => described
  if ('key' in auth) return { auth: { type: 'publickey', username, key: auth.key }, describe }
  return { auth: { type: 'agent', username, agent: auth.agent }, describe }
}

/** An encrypted key that the agent holds is the agent's: nobody is asked for its passphrase. */
async function loadSigner(
  path: string,
  agent: string | undefined,
  decrypt: (file: KeyFile) => Promise<ParsedKey>,
): Promise<Signer> {
  const file = await readKeyFile(path)
  const plain = parsePlainKey(file)
  const held = plain || !agent ? undefined : await findInAgent(file, agent)
  if (held) return { auth: { agent: held }, described: `the key ${path}, which the ssh-agent holds` }
  const key = plain ?? (await decrypt(file))
  return { auth: { key }, described: `the key ${path} (${nameKey(key)})` }
}

async function findInAgent(file: KeyFile, socket: string): Promise<OneKeyAgent | undefined> {
  const wanted = await readPublicPart(file)
  if (!wanted) return undefined
  const held = (await listKeys(new ssh2.OpenSSHAgent(socket)))?.find((key) => key.getPublicSSH().equals(wanted))
  return held && new OneKeyAgent(socket, held)
}

/** The node is shown the key that was configured, and not all that the agent holds: sshd hangs up after a few. */
class OneKeyAgent extends ssh2.OpenSSHAgent {
  readonly #key: ParsedKey

  constructor(socket: string, key: ParsedKey) {
    super(socket)
    this.#key = key
  }

  override getIdentities(done: ssh2.IdentityCallback<ParsedKey>): void {
    done(undefined, [this.#key])
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

function listKeys(agent: ssh2.OpenSSHAgent): Promise<readonly ParsedKey[] | undefined> {
  return new Promise((resolve) => {
    agent.getIdentities((error, keys) => resolve(error ? undefined : (keys as ParsedKey[])))
  })
}

function nameKey(key: ParsedKey): string {
  return `${key.type} ${fingerprint(key.getPublicSSH())}`
}
