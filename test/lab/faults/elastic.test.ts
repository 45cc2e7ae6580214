// An elastic IP belongs to an instance: the node, which has its address, never answers for it.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../../lab/make-lab.ts'
import type { LabNode } from '../../../lab/make-node.ts'
import { startLab } from '../../../lab/start-lab.ts'
import type { World } from '../../../lab/world.ts'
import { idOf } from '../packets.ts'
import { mustPush, push } from '../push.ts'
import { breakTool, mendTools, release, waiting } from '../sabotage.ts'
import { describeLab } from '../with-lab.ts'

const instance = { node: 'nc-01', groups: ['sg-aaaaaaaa'] }
const groups = { 'sg-aaaaaaaa': ['tcp 22 from anywhere'] }
const withIt: World = { instances: { [idOf('a')]: { ...instance, public: '10.111.200.1' } }, groups }
const without: World = { instances: { [idOf('a')]: instance }, groups }

describeLab('an elastic IP of which the node listens on every port', () => {
  let lab: Lab
  let node: LabNode
  beforeAll(async () => {
    lab = await startLab({ nodes: 1, world: withIt })
    node = lab.node('nc-01')
    await mustPush(lab)
    await lab.boot(idOf('a'))
  })
  afterAll(() => lab?.stop())

  it('goes before its translation', async () => {
    expect(await lab.outside.tcp('10.111.200.1', 22)).toMatchObject({ reached: true, by: idOf('a') })
    expect(await whileWaiting(without, 0)).toBe(false)
    expect(await lab.outside.tcp('10.111.200.1', 22)).toMatchObject({ reached: false })
  })

  it('comes after it', async () => {
    // The translation is written, the counters are not.
    expect(await whileWaiting(withIt, 1)).toBe(false)
    expect(await node.run('iptables-save -t nat')).toContain('-d 10.111.200.1/32 -j DNAT')
    expect(await lab.outside.tcp('10.111.200.1', 22)).toMatchObject({ reached: true, by: idOf('a') })
  })

  it('or none: connections are tracked on a node of a cloud without instances, too', async () => {
    await lab.publish({ instances: {}, groups: {} })
    await mustPush(lab)
    await node.run('conntrack -F')
    await lab.edgepush(['status', 'push.yml', '--live'])
    expect(await node.run('conntrack -L -p tcp --dport 22')).toContain(`src=${lab.plan.admin.address}`)
  })

  /** Does the node have the address when its filters are about to be written, after so many writes? */
  async function whileWaiting(world: World, fine: number): Promise<boolean> {
    await lab.publish(world)
    await breakTool(node, 'iptables-restore', 'waits', { fine })
    const pushing = push(lab)
    await waiting(node)
    const addresses = await node.run('ip -4 -o address show')
    await release(node)
    expect((await pushing).code).toBe(0)
    await mendTools(node)
    return addresses.includes('10.111.200.1/32')
  }
})
