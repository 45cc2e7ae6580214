/** The rendered files, loaded by the real tools into an empty network namespace, are what the original made. */

import { describe, expect, it } from 'vitest'
import { caseNames, caseNodes, fileOf } from '../golden/cases.ts'
import { chains, kernelMissing, lines, loadIntoKernel, sets } from '../kernel.ts'

const missing = kernelMissing()
if (missing.length > 0) console.error(`SKIPPED: no kernel read-back without ${missing.join(', ')}`)

describe.skipIf(missing.length > 0).each(caseNames('edge'))('%s', (name) => {
  it.each(caseNodes('edge', name))('$name holds what eucanetd made', ({ bundle, address, reference }) => {
    const held = loadIntoKernel({
      ipset: fileOf(bundle, 'ipset.restore'),
      iptables: fileOf(bundle, 'iptables.restore'),
      ebtables: fileOf(bundle, 'ebtables.restore'),
    })

    expect(sets(held.ipset)).toEqual(sets(reference('ipset')))
    expect(chains(held.iptables)).toEqual(chains(reference('iptables')))
    expect(chains(held.ebtables)).toEqual(chains(reference('ebtables')))
    expect(dhcp(fileOf(bundle, 'dhcpd.conf'))).toEqual(dhcp(reference('dhcpd.conf')))
    expect(publicAddresses(fileOf(bundle, 'addresses'))).toEqual(
      lines(reference('addr')).filter((line) => !line.startsWith(`${address}/`)),
    )
  })
})

function dhcp(text: string): readonly string[] {
  return lines(text).filter((line) => !/^#|lease-file-name|pid-file-name/.test(line))
}

function publicAddresses(text: string): readonly string[] {
  return [...text.matchAll(/^address (\S+)/gm)].map(([, address = '']) => address).toSorted()
}
