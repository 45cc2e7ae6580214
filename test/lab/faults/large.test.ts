// More of everything than fits into an argument, a page or the first size of a table.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../../lab/make-lab.ts'
import type { LabNode } from '../../../lab/make-node.ts'
import { startLab } from '../../../lab/start-lab.ts'
import type { World } from '../../../lab/world.ts'
import { mustPush } from '../push.ts'
import { describeLab } from '../with-lab.ts'

const many = (count: number) => Array.from({ length: count }, (_, index) => index)
const groupOf = (index: number) => `sg-${String(index).padStart(8, '0')}`

/** 300 groups of 8 rules, ten groups for each instance: 300 sets, more than the kernel's first 256. */
const world: World = {
  instances: Object.fromEntries(
    many(30).map((index) => [
      `i-${String(index).padStart(8, '0')}`,
      { node: 'nc-01', groups: many(10).map((place) => groupOf(10 * index + place)) },
    ]),
  ),
  groups: Object.fromEntries(
    many(300).map((index) => [groupOf(index), many(8).map((port) => `tcp ${1000 + port} from 198.51.100.${port}`)]),
  ),
}

describeLab('a node of 300 groups and 2400 rules', () => {
  let lab: Lab
  let node: LabNode
  beforeAll(async () => {
    lab = await startLab({ nodes: 1, world })
    node = lab.node('nc-01')
    expect(await mustPush(lab)).toEqual({ 'nc-01': 'converged' })
  })
  afterAll(() => lab?.stop())

  it('holds all of them', async () => {
    expect(Number(await node.run("iptables-save -t filter | grep -c -- '^-A sg-.*--dport'"))).toBe(2400)
    expect(Number(await node.run('ipset list -n | grep -c ^sg-'))).toBe(300)
    // What the kernel takes as one argument is less.
    expect(Number(await node.run('wc -c < /var/lib/edgepush/current/iptables.restore'))).toBeGreaterThan(128 * 1024)
    expect(await mustPush(lab)).toEqual({ 'nc-01': 'unchanged' })
  })

  it('shows all of a difference, however long it is, and mends it', async () => {
    await node.run('iptables -t filter -F')
    const difference = await node.run('sh /var/lib/edgepush/current/apply.sh difference')
    expect(difference.match(/^difference iptables \+-A sg-.*--dport/gm)).toHaveLength(2400)
    expect(await mustPush(lab)).toEqual({ 'nc-01': 'converged' })
  })
})
