// A commit that fails on the node: the node goes back to what it was, and says so. One node for each way to fail.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabNode } from '../../lab/make-node.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { type Dump, dump } from './dump.ts'
import { expectPackets, idOf } from './packets.ts'
import { mustPush, type Pushed, push } from './push.ts'
import { breakTool, mendTools } from './sabotage.ts'
import { describeLab } from './with-lab.ts'

interface Failure {
  readonly what: string
  readonly make: (node: LabNode) => Promise<unknown>
  readonly undo: (node: LabNode) => Promise<unknown>
  readonly reason: string
}

const holdPort = `python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 67))
open("/tmp/held", "w").close()
time.sleep(600)'`

const failures: readonly Failure[] = [
  {
    what: 'bridge rules cannot be written',
    make: (node) => breakTool(node, 'ebtables-restore', 'fails'),
    undo: mendTools,
    reason: 'ebtables loosen: out of order',
  },
  {
    what: 'packet filters cannot be written',
    make: (node) => breakTool(node, 'iptables-restore', 'fails'),
    undo: mendTools,
    reason: 'iptables switch: out of order',
  },
  {
    what: 'packet filters are not what was written',
    make: (node) => breakTool(node, 'iptables-restore', 'lies', { times: 'always' }),
    undo: mendTools,
    reason: 'the kernel does not hold what was written: iptables',
  },
  {
    what: 'somebody else answers on the port of the DHCP server',
    make: async (node) => {
      await node.run('[ ! -e /run/eucalyptus/net/euca-dhcp.pid ] || kill $(cat /run/eucalyptus/net/euca-dhcp.pid)')
      await node.run(`(setsid ${holdPort} < /dev/null > /dev/null 2>&1 & echo $! > /tmp/holder)
        for _ in $(seq 1000); do [ ! -e /tmp/held ] || exit 0; sleep 0.01; done; exit 1`)
    },
    undo: (node) => node.run('kill $(cat /tmp/holder)'),
    reason: "dhcpd does not start: Can't bind to dhcp address: Address already in use",
  },
]

const nameOf = (index: number) => `nc-${String(index + 1).padStart(2, '0')}`
const letters = 'abcdef'
const at = (index: number) => idOf(letters[index] ?? '')

/** On every node one instance with an elastic IP. */
const first: World = {
  instances: Object.fromEntries(
    failures.map((_, index) => [at(index), { node: nameOf(index), groups: ['sg-aaaaaaaa'], public: true }]),
  ),
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere'] },
}

/** The same instances in another group, without elastic IPs, and one more on every node. */
const second: World = {
  instances: Object.fromEntries(
    failures.flatMap((_, index) => {
      const instance = { node: nameOf(index), groups: ['sg-bbbbbbbb'] }
      return [[at(index), instance] as const, [`i-0000000${index}`, instance] as const]
    }),
  ),
  groups: { 'sg-bbbbbbbb': ['tcp 80 from anywhere'] },
}

const tables = `
for table in filter nat raw; do iptables -t $table -N x; iptables -t $table -X x; done
for table in filter nat; do ebtables -t $table -N x; ebtables -t $table -X x; done`

describeLab.each([
  { when: 'the first push', earlier: undefined, wanted: first },
  { when: 'a later push', earlier: first, wanted: second },
])('$when fails on a node', ({ earlier, wanted }) => {
  let lab: Lab
  let before: readonly Dump[]
  let after: readonly Dump[]
  let pushed: Pushed
  const dumps = () => Promise.all(lab.nodes.map(dump))

  beforeAll(async () => {
    lab = await startLab({ nodes: failures.length, world: first })
    // So that tables which are empty and tables which were never there look alike.
    await Promise.all(lab.nodes.map((node) => node.run(tables)))
    if (earlier) {
      await mustPush(lab)
      await Promise.all(Object.keys(first.instances).map((id) => lab.boot(id)))
    }
    await Promise.all(failures.map(({ make }, index) => make(lab.node(nameOf(index)))))
    before = await dumps()
    await lab.publish(wanted)
    pushed = await push(lab)
    after = await dumps()
  })
  afterAll(() => lab?.stop())

  it('ends with the exit code for nodes that went back', () => {
    expect(pushed.code).toBe(5)
  })

  it.each(failures.map(({ what, reason }, index) => ({ what, reason, index })))(
    'and the node holds what it held before, because $what',
    ({ reason, index }) => {
      expect(pushed.outcomes[nameOf(index)]).toMatchObject({
        status: 'rolled-back',
        phase: 'commit',
        reason: expect.stringContaining(reason),
      })
      expect(after[index]).toEqual(before[index])
    },
  )

  if (earlier) {
    it('and packets go as before', async () => {
      const published = lab.world()
      await lab.publish(first)
      await expectPackets(
        lab,
        `
        outside  eip-a     tcp 22     a sees outside
        outside  eip-b     tcp 80     dropped
        outside  eip-c     tcp 22     c sees outside
        a        outside   tcp 443    outside sees eip-a
        a        b         tcp 9999   b sees a
        `,
      )
      await lab.publish(published)
    })
  }

  it('and the next push succeeds when the cause is gone', async () => {
    await Promise.all(failures.map(({ undo }, index) => undo(lab.node(nameOf(index)))))
    expect(Object.values(await mustPush(lab))).toEqual(failures.map(() => 'converged'))
    if (!earlier) return
    await expectPackets(
      lab,
      `
      a        b         tcp 80     b sees a
      b        a         tcp 9999   a sees b
      outside  c         tcp 22     dropped
      `,
    )
  })
})

describeLab('a node that can go neither forward nor back', () => {
  it('is unknown, says where its earlier state is kept, and is brought back by the next push', async () => {
    const lab = await startLab({ nodes: failures.length, world: first })
    await mustPush(lab)
    const node = lab.node('nc-01')
    // The filter is written before it breaks, and cannot be written back after.
    await breakTool(node, 'iptables-restore', 'fails', { fine: 1, times: 'always' })
    await lab.publish(second)
    const { code, outcomes } = await push(lab)

    expect(outcomes['nc-02']).toMatchObject({ status: 'converged' })
    expect(outcomes['nc-01']).toMatchObject({ status: 'unknown', phase: 'commit' })
    expect(code).toBe(7)
    const [, kept] = /it is kept in (\S+)/.exec(JSON.stringify(outcomes)) ?? []
    expect(await node.run(`ls ${kept?.replace(/".*/, '')}`)).toContain('iptables.restore')

    await mendTools(node)
    expect(await mustPush(lab)).toMatchObject({ 'nc-01': 'converged' })
    expect((await dump(node)).iptables).not.toContain('sg-aaaaaaaa')
    await lab.stop()
  })
})
