/**
 * What a host holds after a push is what the original made there: rules, devices, addresses and the DHCP server's file,
 * read back from the kernel of a host that began empty.
 */

import { describe, expect, it } from 'vitest'
import { type CaseNode, caseNames, caseNodes } from '../golden/cases.ts'
import { kernelMissing, lines } from '../kernel.ts'
import { applyBundles } from './apply-bundle.ts'
import { withoutDeliberate } from './deliberate.ts'
import { addressesOf, dhcpOf, linksOf, rulesOf } from './read-back.ts'

const missing = kernelMissing()
if (missing.length > 0) console.error(`SKIPPED: no kernel read-back without ${missing.join(', ')}`)

const CASES = ['managed', 'managed-novlan'].flatMap((mode) => caseNames(mode).map((name) => [mode, name] as const))

describe.skipIf(missing.length > 0).each(CASES)('%s %s', (mode, name) => {
  it.each(caseNodes(mode, name))('$name holds what eucanetd made', (node) => {
    const held = applyBundles([node.bundle], { devices: devicesOf(node) })
    const original = withoutDeliberate(name, node.reference)

    expect(held.said).toMatch(/^state confirmed$/m)
    expect(held.held).toMatch(/^held yes$/m)
    expect(rulesOf(held.iptables)).toEqual(rulesOf(original('iptables')))
    expect(linksOf(held.links)).toEqual(lines(original('links')))
    expect(dhcpOf(held.dhcpd)).toEqual(dhcpOf(original('dhcpd.conf')))
    expect(addressesOf(held.addresses)).toEqual(lines(original('addr') || began(node)).toSorted())
    expect(held.daemon !== '').toBe(original('dhcpd.conf').includes('host node-'))
  })
})

/** Where the original put nothing on a host. */
function began(node: CaseNode): string {
  return Object.entries(devicesOf(node))
    .map(([device, address]) => `${device} ${address} scope global\n`)
    .join('')
}

/** As each host began: with its own address, and on a second device with one of a network for examples. */
function devicesOf({ address, reference }: CaseNode): Readonly<Record<string, string>> {
  const own = `${address}/16`
  const began = lines(reference('addr')).flatMap((line) => {
    const [device = '', is = ''] = line.split(' ')
    return is === own || is.startsWith('192.0.2.') ? [[device, is] as const] : []
  })
  return began.length > 0 ? Object.fromEntries(began) : { br0: own }
}
