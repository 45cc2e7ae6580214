/** Who decides what an option of a node is. */

import { expect, it } from 'vitest'
import { OPTIONS } from '../../src/modes/edge/options.ts'
import { resolveOptions } from '../../src/modes/settings.ts'

const said = (where: string, settings: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value], index) => [name, { value, where: `${where}:${index + 1}` }]),
  )

it('the inventory wins over the eucalyptus.conf of the node, and that over what is usual', () => {
  const inventory = said('lab.yml', { VNET_BRIDGE: 'br0', NC_PROXY: 'Y' })
  const conf = said('eucalyptus.conf', { VNET_BRIDGE: 'br9', VNET_PUBINTERFACE: 'em1', NC_PROXY: 'N' })
  const { options, defects } = resolveOptions(OPTIONS, inventory, conf)
  expect(defects).toEqual([])
  expect(options).toMatchObject({ VNET_BRIDGE: 'br0', VNET_PUBINTERFACE: 'em1', NC_PROXY: 'Y', NC_ROUTER: 'Y' })
})

it('a value that does not fit is told with its place, but not one that somebody else wins over', () => {
  const inventory = said('lab.yml', { VNET_BRIDGE: 'br0' })
  const conf = said('eucalyptus.conf', { VNET_BRIDGE: 'br 9', NC_PROXY: 'maybe' })
  expect(resolveOptions(OPTIONS, inventory, conf).defects).toEqual([
    "VNET_PUBINTERFACE is set neither in the inventory nor in the node's eucalyptus.conf",
    'eucalyptus.conf:2: NC_PROXY is "maybe", it must be Y or N',
  ])
})
