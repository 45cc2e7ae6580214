/** Whose address an elastic address must not be. */

import { expect, test } from 'vitest'
import { doubtPath, type OwnAddress } from '../../src/commands/doubt-path.ts'
import type { InventoryNode } from '../../src/config/inventory.ts'
import type { View } from '../../src/view/view.ts'

const ELASTIC = '203.0.113.7'
const LONE: OwnAddress = { address: ELASTIC, isLone: true }

/** As OpenSSH's configuration has them. */
const WAYS = new Map([
  [
    'behind',
    [
      { name: 'behind', host: '10.0.0.7' },
      { name: 'the jump host bastion', host: ELASTIC },
    ],
  ],
])

function viewOf(nodes: readonly string[]): View {
  const clusters = [{ nodes: nodes.map((name) => ({ name, instances: [] })) }]
  return { clusters, instances: [{ id: 'i-1', publicAddress: ELASTIC }, { id: 'i-2' }] } as unknown as View
}

function nodeAt(address: string, host: string, jump?: readonly string[]): InventoryNode {
  return { name: 'nc-01', address, target: { host, jump } } as unknown as InventoryNode
}

function ownersOf(
  nodes: readonly InventoryNode[],
  own: readonly OwnAddress[],
  viewed = ['10.0.0.1'],
): readonly string[] {
  const doubts = doubtPath(viewOf(viewed), nodes, own, WAYS)
  expect(
    doubts.every(({ guard, saw }) => guard === 'path' && saw.includes(`i-1 has the elastic address ${ELASTIC}`)),
  ).toBe(true)
  return doubts.map(({ saw }) => /which is that of (.*): it could/.exec(saw)?.[1] ?? '')
}

const NODE = nodeAt('10.0.0.1', 'nc-01.mgmt')

test.each<[string, readonly InventoryNode[], readonly string[]]>([
  ["nobody's", [NODE], []],
  ['that of a node', [nodeAt(ELASTIC, 'nc-01.mgmt')], ['nc-01']],
  ['by which a node is logged in to', [nodeAt('10.0.0.1', ELASTIC)], ['nc-01']],
  ['both', [nodeAt(ELASTIC, ELASTIC)], ['nc-01']],
  ['that of a jump host', [nodeAt('10.0.0.1', 'a', [`ops@${ELASTIC}:2222`])], [`the jump host ops@${ELASTIC}:2222`]],
  [
    'one of several',
    [nodeAt('10.0.0.1', 'a', ['x', ELASTIC]), nodeAt('10.0.0.2', 'b', ['x', ELASTIC])],
    [`the jump host ${ELASTIC}`],
  ],
  ['a jump host by name', [nodeAt('10.0.0.1', 'a', ['bastion'])], []],
  [
    'of a jump host as it is configured',
    [{ ...nodeAt('10.0.0.1', 'a', ['bastion']), name: 'behind' }],
    ['the jump host bastion'],
  ],
])('of others: %s', (_, nodes, expected) => {
  expect(ownersOf(nodes, [])).toEqual(expected)
})

test.each<[string, readonly OwnAddress[], readonly string[]]>([
  ['in a network', [{ address: ELASTIC, isLone: false }], ['this host']],
  ['alone, on a host that is no node', [LONE, { address: '10.0.0.9', isLone: false }], ['this host']],
  ['alone, on a node of the inventory', [LONE, { address: '10.0.0.2', isLone: false }], []],
  ['alone, on a node that only the view has', [LONE, { address: '10.0.0.3', isLone: false }], []],
  [
    'in a network, on a node',
    [
      { address: ELASTIC, isLone: false },
      { address: '10.0.0.2', isLone: false },
    ],
    ['this host'],
  ],
])('of this host: %s', (_, own, expected) => {
  expect(ownersOf([nodeAt('10.0.0.1', '10.0.0.2')], own, ['10.0.0.1', '10.0.0.3'])).toEqual(expected)
})
