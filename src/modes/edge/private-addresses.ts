/**
 * The addresses that nobody is let in to but by a group's rules. What a lenient reading of the view left out is among them:
 * it may be running, and an address that the filter does not know is forwarded as the node's own rules have it.
 */

import { Unfit } from '../../error.ts'
import type { Ipv4 } from '../../view/ipv4.ts'
import type { Instance, View } from '../../view/view.ts'
import type { Node } from '../mode.ts'

export function privateAddresses(instances: readonly Instance[]): readonly Ipv4[] {
  return instances.map(({ privateAddress }) => privateAddress)
}

/** What is withheld may be running: the last rule of the filter must drop what is for it. */
export function allPrivate(view: View): readonly Ipv4[] {
  return [...privateAddresses(view.instances), ...view.withheld]
}

/** What has neither an address that the filter knows nor a port that is mute would be open to everybody. */
export function refuseUnguarded({ untraced }: View, { options }: Node): void {
  if (untraced === 0 || options.DISABLE_L2_ISOLATION !== 'Y') return
  const what = untraced === 1 ? 'an instance was' : `${untraced} instances were`
  throw new Unfit(
    `${what} left out without a known address, and with DISABLE_L2_ISOLATION=Y nothing would hold it back`,
  )
}
