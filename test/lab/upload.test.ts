// What a push sends to a node: bytes on its cable, with the headers of every layer and of SSH.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabNode } from '../../lab/make-node.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { mustPush } from './push.ts'
import { describeLab } from './with-lab.ts'

const many = (count: number) => Array.from({ length: count }, (_, index) => index)
const idOf = (index: number) => `i-${String(index).padStart(8, '0')}`
const groupOf = (index: number) => `sg-${String(index).padStart(8, '0')}`

/** Twenty instances with groups of their own; one may be in the group of its neighbour. */
function world(neighbours: boolean): World {
  const groupsOf = (index: number) => (neighbours && index === 0 ? [groupOf(0), groupOf(1)] : [groupOf(index)])
  return {
    instances: Object.fromEntries(many(20).map((index) => [idOf(index), { node: 'nc-01', groups: groupsOf(index) }])),
    groups: Object.fromEntries(
      many(20).map((index) => [groupOf(index), many(20).map((port) => `tcp ${1000 + port} from anywhere`)]),
    ),
  }
}

describeLab('what is sent to a node', () => {
  let lab: Lab
  let node: LabNode
  let first: number
  let script: number

  beforeAll(async () => {
    lab = await startLab({ nodes: 1, world: world(false) })
    node = lab.node('nc-01')
    first = await sentFor('converged')
    script = Number(await node.run('wc -c < /var/lib/edgepush/current/apply.sh'))
  })
  afterAll(() => lab?.stop())

  async function sentFor(status: string): Promise<number> {
    const before = await received()
    expect(await mustPush(lab)).toEqual({ 'nc-01': status })
    return (await received()) - before
  }

  async function received(): Promise<number> {
    return Number(await node.run(`cat /sys/class/net/${node.legs[0]?.device}/statistics/rx_bytes`))
  }

  it('is all of its first bundle, and of the next what is another', async () => {
    const size = Number(await node.run('cat /var/lib/edgepush/current/* 2> /dev/null | wc -c'))
    expect(first).toBeGreaterThan(size)
    await lab.publish(world(true))
    const second = await sentFor('converged')
    const another = 'find /var/lib/edgepush/current/ -maxdepth 1 -type f -links 1'
    const changed = Number(await node.run(`cat $(${another}) | wc -c`))
    console.error(
      `bytes: first push ${first} (${size} in files, ${script} in apply.sh), next ${second} (${changed} in files)`,
    )
    expect(await node.run(`${another} -name apply.sh`)).toBe('')
    expect(second - changed).toBeLessThan(script / 2)
  })

  it('is no file of a bundle that it had before, nor for a repair of what it has', async () => {
    await lab.publish(world(false))
    expect(await sentFor('converged')).toBeLessThan(script / 2)
    await node.run('iptables -F EUCA_FILTER_FWD')
    expect(await sentFor('converged')).toBeLessThan(script / 2)
    expect(await sentFor('unchanged')).toBeLessThan(script / 2)
  })
})
