/** Every host key of a node, as it offers them now: one handshake for each, and nobody logs in. */

import type { ServerHostKeyAlgorithm } from 'ssh2'
import { offer, withAdded } from './algorithms.ts'
import { keyType } from './fingerprint.ts'
import { ALGORITHMS, typeOf } from './host-key.ts'
import { type Dropped, hasHungUp, hearGreeting, isDropped, patiently, type Time } from './patience.ts'
import { nameEndpoint } from './socket.ts'
import { SshConnection, type Way } from './ssh-connection.ts'
import { type Target, Unreachable } from './transport.ts'
import type { Ways } from './ways.ts'

/** In the order in which they are preferred. */
export async function scanHostKeys(target: Target, hop: Target | undefined, ways: Ways): Promise<readonly Buffer[]> {
  const keys: Buffer[] = []
  for (let left: readonly ServerHostKeyAlgorithm[] = withAdded(ALGORITHMS, target.algorithms); left.length > 0; ) {
    const algorithms = left
    const { key } = await patiently(target, async (time) => {
      const way = await ways.open(target, hop, time)
      return isDropped(way) ? way : await askOnce(target, algorithms, way, time)
    })
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
  way: Way,
  time: Time,
): Promise<{ readonly key: Buffer | undefined } | Dropped> {
  const connection = new SshConnection(way, nameEndpoint(target), undefined)
  let key: Buffer | undefined
  const opening = connection.open(
    {
      username: target.user,
      readyTimeout: time.left(),
      algorithms: { ...offer(algorithms, target.algorithms), serverHostKey: [...algorithms] },
      authHandler: [],
      hostVerifier: (shown: Buffer) => {
        key = shown
        return false
      },
    },
    () => undefined,
  )
  const greeting = hearGreeting(way.socket)
  try {
    await opening
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (key || message.includes('no matching host key format')) return { key }
    const by = way.whyLost()
    if (by !== undefined) return { dropped: '', by }
    if (hasHungUp(error)) return { dropped: greeting() }
    throw new Unreachable(`${nameEndpoint(target)} cannot be spoken to by SSH: ${message}`)
  } finally {
    connection.close()
  }
  return { key }
}
