/** Nodes to run against: shells of this machine whose probe says what a test wants to hear. */

import type { Bundle } from '../../src/bundle/bundle.ts'
import { Unfit } from '../../src/error.ts'
import { type Connection, type Target, type Transport, Unreachable } from '../../src/node/transport.ts'
import { pushing } from '../../src/run/push.ts'
import type { Means, NodeTask } from '../../src/run/run-node.ts'
import type { RunStage } from '../../src/run/run-stages.ts'
import { SAFETY } from '../../src/run/transaction.ts'
import { shellConnection } from '../node/shell-connection.ts'

const DIGEST = 'd0d0'
export const RUN = '20260101T120000Z-0a1b2c'
const PROBE = `echo boot 1; echo current ${DIGEST}; echo held yes`

/** A node that holds what it should; one that cannot be served; one that does not answer. */
export type Kind = 'good' | 'unfit' | 'down'

export function taskOf(name: string, kind: Kind, onRender: () => void = () => undefined): NodeTask {
  return {
    name,
    target: targetOf(kind === 'down' ? 'down' : name),
    serve: pushing({
      version: undefined,
      safety: SAFETY,
      templates: { 'node/probe.sh': PROBE },
      bundleFor() {
        onRender()
        if (kind === 'unfit') throw new Unfit('there is no bridge br0')
        return bundle
      },
    }),
  }
}

const bundle: Bundle = { node: 'any', digest: DIGEST, files: [] }

export function stageOf(name: string, tasks: readonly NodeTask[], how: Partial<RunStage> = {}): RunStage {
  return { name, tasks, parallel: 32, batches: [], commit: 'together', failures: undefined, pause: 0, ...how }
}

export function meansOf(transport: Transport = shells): Means {
  return { run: RUN, transport, began: 0, now: () => performance.now() }
}

export const shells: Transport = {
  async connect(target: Target): Promise<Connection> {
    if (target.host === 'down') throw new Unreachable(`cannot reach ${target.name}: nothing listens there`)
    return shellConnection({})
  },
}

export function targetOf(host: string): Target {
  return { name: host, host, port: 22, user: 'root', key: undefined, knownHosts: [], connectTimeout: 1_000 }
}
