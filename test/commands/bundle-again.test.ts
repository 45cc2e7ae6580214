/** A bundle that is remembered by its digest is the one that would be made. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Bundle } from '../../src/bundle/bundle.ts'
import { type Asked, bundleAgain } from '../../src/commands/bundle-again.ts'
import { probedBundle, type Said } from '../../src/commands/node-bundle.ts'
import { loadInventory } from '../../src/config/inventory.ts'
import { packageTemplates } from '../../src/config/templates.ts'
import { modeNamed } from '../../src/modes/index.ts'
import { readView } from '../../src/view/parse.ts'
import { CASE } from './cli.ts'

const said = (mac: string): Said => ({
  facts: { interfaces: { br0: { mac, addresses: ['10.111.5.51/16'] } } },
  conf: {},
})

function serving(text: string) {
  return { view: readView(text, 'view.xml').view, mode: modeNamed('EDGE', 'view.xml'), templates: packageTemplates() }
}

test('is made anew for another view, another word of the node and another node, and else only looks the same', () => {
  const [node] = loadInventory(join(CASE, 'inventory.yml'), 'the test').nodes
  if (!node) throw new Error('the case has no node')
  const text = readFileSync(join(CASE, 'view.xml'), 'utf8')
  const first = serving(text)
  const asked = new Map<string, Asked>()
  const again = (what: ReturnType<typeof serving>, mac: string, who = node): Bundle =>
    bundleAgain(who, what, said(mac), asked)
  const whole = ({ digest, files }: Bundle) => ({ digest, files })

  const made = again(first, '02:00:00:00:00:51')
  const remembered = again(first, '02:00:00:00:00:51')
  expect(remembered).not.toBe(made)
  expect(whole(remembered)).toEqual(whole(made))
  expect(again(first, '02:00:00:00:00:77').digest).toBe(probedBundle(node, first)(said('02:00:00:00:00:77')).digest)

  const other = serving(text.replaceAll('<fromPort>22</fromPort>', '<fromPort>21</fromPort>'))
  expect(other.view).not.toEqual(first.view)
  expect(whole(again(other, '02:00:00:00:00:77'))).toEqual(whole(probedBundle(node, other)(said('02:00:00:00:00:77'))))
  const hardened = { ...node, profile: 'hardened' } as const
  expect(again(other, '02:00:00:00:00:77', hardened).digest).toBe(
    probedBundle(hardened, other)(said('02:00:00:00:00:77')).digest,
  )
})
