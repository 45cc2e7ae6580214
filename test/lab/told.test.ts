// What a push says that it changed, against what was changed.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import type { Change } from '../../src/node/change.ts'
import { idOf } from './packets.ts'
import { push } from './push.ts'
import { describeLab } from './with-lab.ts'

const world: World = {
  instances: {
    [idOf('a')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: '10.111.200.77' },
    [idOf('b')]: { node: 'nc-02', groups: ['sg-bbbbbbbb'] },
  },
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere'], 'sg-bbbbbbbb': ['tcp 3306 from sg-aaaaaaaa'] },
}

describeLab('what a push changes', () => {
  let lab: Lab

  beforeAll(async () => {
    lab = await startLab({ nodes: 2, world })
  })
  afterAll(() => lab?.stop())

  /** Node to what it said; undefined where it said nothing. */
  async function told(): Promise<Readonly<Record<string, readonly Change[] | undefined>>> {
    const { code, outcomes, stderr } = await push(lab)
    expect([code, stderr]).toEqual([0, ''])
    return Object.fromEntries(Object.values(outcomes).map(({ node, changes }) => [node, changes]))
  }

  it('is all of it at first, and nothing when it is there', async () => {
    const first = await told()
    expect(first['nc-01']?.map(({ artifact, removed }) => [artifact, removed])).toEqual([
      ['ipset', 0],
      ['iptables', 0],
      ['addresses', 0],
      ['ebtables', 0],
      ['dhcpd', 0],
      ['placeholder', 0],
    ])
    expect(first['nc-01']?.find(({ artifact }) => artifact === 'addresses')?.added).toBe(1)
    expect(await told()).toEqual({ 'nc-01': undefined, 'nc-02': undefined })
  })

  it('is a rule where a rule is another, and no more', async () => {
    await lab.publish({ ...world, groups: { ...world.groups, 'sg-aaaaaaaa': ['tcp 23 from anywhere'] } })
    expect(await told()).toEqual({
      'nc-01': [{ artifact: 'iptables', added: 1, removed: 1, things: 1 }],
      'nc-02': undefined,
    })
  })

  it('is a line of each set where a member is new', async () => {
    const c = { [idOf('c')]: { node: 'nc-02', groups: ['sg-aaaaaaaa'] } }
    await lab.publish({ ...lab.world(), instances: { ...world.instances, ...c } })
    const { 'nc-01': elsewhere, 'nc-02': here } = await told()
    // It is private to the cloud, and a member of the group whose chain is here.
    expect(elsewhere).toEqual([{ artifact: 'ipset', added: 2, removed: 0, things: 2 }])
    expect(here?.map(({ artifact }) => artifact)).toEqual(['ipset', 'iptables', 'ebtables', 'dhcpd'])
  })

  it('is what is told when it is confirmed by hand, and in the summary', async () => {
    await lab.publish(world)
    const held = await push(lab, ['--node', 'nc-01', '--confirm-window', '5m'])
    expect(held.outcomes['nc-01']).toMatchObject({ status: 'awaiting' })
    const run = /\S+$/.exec(held.outcomes['nc-01']?.next ?? '')?.[0] ?? ''
    const confirmed = await lab.edgepush(['confirm', run, 'push.yml', '--node', 'nc-01'])
    expect(confirmed.code).toBe(0)
    expect(confirmed.stdout).toMatch(/^nc-01 {2}converged {2}- {2}\d+\.\d s {2}confirm, 2 sets, \+1 -1 rules\n/)
  })
})
