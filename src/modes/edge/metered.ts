import type { View } from '../../view/view.ts'
import type { Node } from '../mode.ts'
import { runFolder } from './run-folder.ts'

interface Metered {
  readonly node: string
  readonly folder: string
  readonly instances: readonly { readonly id: string; readonly public: string; readonly private: string }[]
}

/** Whose counters are whose: the node knows addresses, only the view knows instances. */
export function metered(view: View, { address, options }: Pick<Node, 'address' | 'options'>): Metered {
  const nodes = view.clusters.flatMap((cluster) => cluster.nodes)
  const ids = new Set(nodes.find(({ name }) => name === address)?.instances)
  return {
    node: address,
    folder: runFolder(options),
    instances: view.instances
      .filter(({ id }) => ids.has(id))
      .map(({ id, publicAddress, privateAddress }) => {
        // One address that is both is counted once, as private.
        return { id, public: publicAddress === privateAddress ? '-' : (publicAddress ?? '-'), private: privateAddress }
      }),
  }
}
