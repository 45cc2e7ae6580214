/** Every host key of a node, as it offers them now: one handshake for each, and nobody logs in. */

import type { ServerHostKeyAlgorithm } from 'ssh2'
import { keyType } from './fingerprint.ts'
import { ALGORITHMS, typeOf } from './host-key.ts'
import { type Dropped, hasHungUp, hearGreeting, patiently, remaining } from './patience.ts'
import { nameEndpoint, openSocket } from './socket.ts'
import { SshConnection } from './ssh-connection.ts'
import { type Target, Unreachable } from './transport.ts'

/** In the order in which they are preferred. */
export async function scanHostKeys(target: Target): Promise<readonly Buffer[]> {
  const keys: Buffer[] = []
  for (let left = ALGORITHMS; left.length > 0; ) {
    const algorithms = left
    const { key } = await patiently(target, (deadline) => askOnce(target, algorithms, deadline))
    if (!key) break
    keys.push(key)
    left = left.filter((algorithm) => typeOf(algorithm) !== keyType(key))
  }
  if (keys.length > 0) return keys
  throw new Unreachable(`${nameEndpoint(target)} has no host key of a type that we know`)
}

/** No key where the node has none of these types. */
async function askOnce(
  target: Target,
  algorithms: readonly ServerHostKeyAlgorithm[],
  deadline: number,
): Promise<{ readonly key: Buffer | undefined } | Dropped> {
  const socket = await openSocket(target, remaining(deadline))
  const connection = new SshConnection(socket, nameEndpoint(target), undefined)
  let key: Buffer | undefined
  const opening = connection.open(
    {
      username: target.user,
      readyTimeout: remaining(deadline),
      algorithms: { serverHostKey: [...algorithms] },
      authHandler: [],
      hostVerifier: (shown: Buffer) => {
        key = shown
        return false
      },
    },
    () => undefined,
  )
  const greeting = hearGreeting(socket)
  try {
    await opening
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (key || message.includes('no matching host key format')) return { key }
    if (hasHungUp(error)) return { dropped: greeting() }
    throw new Unreachable(`${nameEndpoint(target)} cannot be spoken to by SSH: ${message}`)
  } finally {
    connection.close()
  }
  return { key }
}
