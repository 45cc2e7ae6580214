/** What a node controller holds in SYSTEM: nothing of ours. Its bridge is the administrator's, addresses are the site's. */

import { Unfit } from '../../error.ts'
import type { View } from '../../view/view.ts'
import type { Node } from '../mode.ts'

export function desired({ clusters }: View, { address }: Node): object {
  if (clusters.some(({ nodes }) => nodes.some(({ name }) => name === address))) return {}
  throw new Unfit(`the view has no node ${address}`)
}

export function remains(): object {
  return {}
}
