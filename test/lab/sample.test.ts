/** lab/sample is the lab's sample world as files for whoever has no lab; `npm test -- -u test/lab/sample` writes it anew. */

import { describe, expect, it } from 'vitest'
import { type LabPlan, planLab } from '../../lab/plan-lab.ts'
import { addressBook, renderView } from '../../lab/render-view.ts'
import { sampleWorld } from '../../lab/world.ts'

const sample = '../../lab/sample'

describe('lab/sample', () => {
  const plan = planLab({})
  const world = sampleWorld(plan.nodes.map(({ name }) => name))

  it('has the view that the lab publishes', async () => {
    const view = renderView(plan, world, addressBook(plan)(world))
    await expect(indented(view)).toMatchFileSnapshot(`${sample}/view.xml`)
  })

  it('has the nodes of the lab, with what only they know', async () => {
    await expect(inventory(plan)).toMatchFileSnapshot(`${sample}/inventory.yml`)
  })
})

function inventory({ nodes }: LabPlan): string {
  const options = Object.entries(nodes[0]?.options ?? {}).map(([name, value]) => `${name}: ${value}`)
  return [
    '# The nodes of the lab as `npm run demo` starts it, with the facts that render needs when no node can be asked.',
    'cloud: lab',
    'defaults:',
    '  role: nc',
    `  options: { ${options.join(', ')} }`,
    'nodes:',
    ...nodes.flatMap(({ name, address, bridgeMac, bridgeAddresses }) => [
      `  ${name}:`,
      `    address: ${address}`,
      '    facts:',
      `      bridge_mac: "${bridgeMac}"`,
      `      bridge_addresses: [${bridgeAddresses.join(', ')}]`,
      '      eucalyptus_version: "5.1.0"',
    ]),
    '',
  ].join('\n')
}

/** A line for every tag that has tags inside. */
function indented(xml: string): string {
  let depth = 0
  const lines = xml
    .trim()
    .replaceAll('><', '>\n<')
    .split('\n')
    .map((line) => {
      if (line.startsWith('</')) depth -= 1
      const text = '  '.repeat(depth) + line
      if (!line.startsWith('</') && !line.includes('</') && !line.endsWith('/>')) depth += 1
      return text
    })
  return `${lines.join('\n')}\n`
}
