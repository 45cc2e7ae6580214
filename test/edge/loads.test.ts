/** Whatever a cloud looks like, the kernel takes every file of a node, and holds all of it. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compile } from '../../src/bundle/compile.ts'
import { anyAsked, taskOf } from '../bundle/any-task.ts'
import { createdSets, filledSets, textOf } from '../bundle/rule-set.ts'
import { chains, kernelMissing, loadIntoKernel } from '../kernel.ts'

const hasDhcpd = spawnSync('sh', ['-c', 'command -v dhcpd']).status === 0
const missing = [...kernelMissing(), ...(hasDhcpd ? [] : ['dhcpd'])]
if (missing.length > 0) console.error(`SKIPPED: no generated bundle is loaded without ${missing.join(', ')}`)

const RUNS = 60

describe.skipIf(missing.length > 0).each(['compatible', 'hardened'] as const)('%s', (profile) => {
  it('the kernel holds every rule and every member of any bundle', () => {
    fc.assert(
      fc.property(anyAsked, (asked) => {
        const bundle = compile(taskOf({ ...asked, node: { ...asked.node, profile } }))
        const ipset = textOf(bundle, 'ipset.restore')
        const iptables = textOf(bundle, 'iptables.restore')
        const ebtables = textOf(bundle, 'ebtables.restore')
        const held = loadIntoKernel({ ipset, iptables, ebtables })

        expect(sizes(held.iptables)).toEqual(sizes(iptables))
        expect(sizes(held.ebtables)).toEqual(sizes(ebtables))
        expect(createdSets(held.ipset).toSorted()).toEqual(createdSets(ipset).toSorted())
        expect(filledSets(held.ipset).toSorted()).toEqual(filledSets(ipset).toSorted())
        expect(complaintOf(textOf(bundle, 'dhcpd.conf'))).toBe('')
      }),
      { numRuns: RUNS },
    )
  }, 180_000)
})

/** Table and chain to its number of rules. */
function sizes(text: string): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(chains(text)).map(([chain, rules]) => [chain, rules.length]))
}

/** What dhcpd says against a file; empty when it takes it. A node without instances has none. */
function complaintOf(text: string): string {
  if (text === '') return ''
  const folder = mkdtempSync(join(tmpdir(), 'edgepush-dhcpd-'))
  try {
    const file = join(folder, 'dhcpd.conf')
    writeFileSync(file, text)
    const { status, stderr } = spawnSync('dhcpd', ['-t', '-cf', file], { encoding: 'utf8' })
    return status === 0 ? '' : stderr
  } finally {
    rmSync(folder, { recursive: true })
  }
}
