/** The DHCP server's file is the original's, byte for byte. */

import { expect, it } from 'vitest'
import { caseNodes, fileOf } from '../golden/cases.ts'

it('a controller has the pairs that are somebody’s, and node controllers have nothing', () => {
  const [controller, ...nodes] = caseNodes('static', 'two-nodes')
  if (!controller) throw new Error('the case has no controller')
  expect(fileOf(controller.bundle, 'dhcpd.conf')).toBe(controller.reference('dhcpd.conf'))
  expect(nodes.map(({ bundle }) => bundle.files.map(({ name }) => name))).toEqual([
    ['apply.sh', 'manifest.json'],
    ['apply.sh', 'manifest.json'],
  ])
})
