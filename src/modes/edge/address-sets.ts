/**
 * The sets of addresses that rules go by.
 *
 * Invariant: whatever may run in the cloud is in EUCA_ALLPRIVATE, also what a lenient reading of the view left out: an
 * address that the filter does not know would be forwarded as the node's own rules have it.
 */

import { Unfit } from '../../error.ts'
import { formatCidr, type Ipv4 } from '../../view/ipv4.ts'
import type { Instance, SecurityGroup, View } from '../../view/view.ts'
import type { Facts, Node } from '../mode.ts'
import { cloudOf, sorted, withAddress } from './cloud.ts'

export interface AddressSet {
  readonly name: string
  readonly members: readonly string[]
}

/** The more they hold, the less passes. */
export function restrictingSets(
  view: View,
  local: readonly Instance[],
  gateway: Ipv4,
  facts: Facts,
): readonly AddressSet[] {
  const networks = view.subnets.map(({ network }) => formatCidr(network)).toSorted()
  // A node without instances still has to say which addresses are its own: none that a packet could have.
  const own = local.length > 0 ? sorted(local.map(({ privateAddress }) => privateAddress)) : ['127.0.0.1']
  const all = () => [...withAddress(cloudOf(view).privates, gateway), ...new Set(networks)]
  return [
    { name: 'EUCA_ALLPRIVATE', members: shared(view, 'EUCA_ALLPRIVATE', gateway, all) },
    { name: 'EUCA_NCPRIVATE', members: own },
    ...versions(facts).map((version) => ({ name: 'EUCA_VERSION', members: [version] })),
  ]
}

/** One for each group, with its members in the whole cloud. */
export function permittingSets(view: View, groups: readonly SecurityGroup[], gateway: Ipv4): readonly AddressSet[] {
  const { members } = cloudOf(view)
  return [...new Set(groups.map(({ id }) => id))]
    .map((name) => {
      const all = () => withAddress(members.get(name) ?? [], gateway)
      return { name, members: shared(view, name, gateway, all) }
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** One list for all nodes with the same gateway, so that it is made, and made into text, once for nodes in a row. */
function shared(view: View, name: string, gateway: Ipv4, make: () => readonly string[]): readonly string[] {
  const ofView = lists.get(view) ?? new Map<string, Shared>()
  lists.set(view, ofView)
  const known = ofView.get(name)
  if (known?.gateway === gateway) return known.members
  const members = make()
  ofView.set(name, { gateway, members })
  return members
}

interface Shared {
  readonly gateway: Ipv4
  readonly members: readonly string[]
}

/** By name, of the last gateway alone: a node may be its own. */
const lists = new WeakMap<View, Map<string, Shared>>()

/** eucanetd refuses to start on a node whose set says a newer version than its own, so it says what is installed. */
export function versions({ eucalyptusVersion }: Facts): readonly string[] {
  if (!eucalyptusVersion) return []
  const [major = 0, minor = 0, patch = 0] = (eucalyptusVersion.match(/\d+/g) ?? []).map(Number)
  return [`${major}.${minor}.${patch}.0`]
}

/** What has neither an address that the filter knows nor a port that is mute would be open to everybody. */
export function refuseUnguarded({ untraced }: View, { options }: Node): void {
  if (untraced === 0 || options.DISABLE_L2_ISOLATION !== 'Y') return
  const what = untraced === 1 ? 'an instance was' : `${untraced} instances were`
  throw new Unfit(
    `${what} left out without a known address, and with DISABLE_L2_ISOLATION=Y nothing would hold it back`,
  )
}
