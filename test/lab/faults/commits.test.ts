// A node for each thing that happens between commit and confirm, to nodes that hold something already.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../../lab/make-lab.ts'
import type { LabNode } from '../../../lab/make-node.ts'
import { startLab } from '../../../lab/start-lab.ts'
import type { World } from '../../../lab/world.ts'
import type { Outcome, Status } from '../../../src/run/outcome.ts'
import { type Dump, dumpAll } from '../dump.ts'
import { all, mustPush } from '../push.ts'
import { breakTool, mendTools, waiting } from '../sabotage.ts'
import { describeLab } from '../with-lab.ts'
import { fillConnections } from './fill-connections.ts'
import { type Release, releasesFor } from './releases.ts'

interface Fault {
  readonly what: string
  readonly make: (node: LabNode) => Promise<unknown>
  readonly undo?: (node: LabNode) => Promise<unknown>
  /** While the push is at work. */
  readonly happens?: (node: LabNode) => Promise<unknown>
  readonly pushedWith?: Release
  readonly status: Status
  readonly reason: string
}

const state = '/var/lib/edgepush'
const nothing = async () => undefined
/** In a wrapper of sabotage.ts: the tool itself. */
const itself = '(exec -a "$name" "$(readlink -f "/tmp/wrapped/real/$name.as")" "$@")'

const faults: readonly Fault[] = [
  {
    what: 'its restore tool finds no memory',
    make: (node) => breakTool(node, 'iptables-restore', { does: 'ulimit -v 3000' }),
    undo: mendTools,
    status: 'rolled-back',
    reason: 'iptables: switch failed',
  },
  {
    what: 'its disk fills while it commits',
    make: async (node) => {
      await node.run(
        `cp -a ${state} /tmp/kept && mount -t tmpfs -o size=2m tmpfs ${state} && cp -a /tmp/kept/. ${state}`,
      )
      await breakTool(node, 'iptables-restore', { does: `cat /dev/zero > ${state}/filler 2> /dev/null` })
    },
    undo: async (node) => {
      await node.run(`rm ${state}/filler`)
      await mendTools(node)
    },
    status: 'rolled-back',
    reason: 'that it is committed cannot be written down: is the disk full?',
  },
  {
    what: 'its disk fills before it is confirmed',
    make: async (node) => {
      await node.run(
        `cp -a ${state} /tmp/kept && mount -t tmpfs -o size=2m tmpfs ${state} && cp -a /tmp/kept/. ${state}`,
      )
      await breakTool(node, 'ln', { does: `cat /dev/zero > ${state}/filler 2> /dev/null; exit 1` })
    },
    undo: async (node) => {
      await node.run(`rm ${state}/filler`)
      await mendTools(node)
    },
    status: 'rolled-back',
    reason: 'is the disk full?',
  },
  {
    what: 'another tool writes back all the rules that it read before',
    make: async (node) => {
      await node.run('iptables-save > /tmp/read')
      await breakTool(
        node,
        'iptables-restore',
        { does: `${itself}; iptables-restore < /tmp/read; exit 0` },
        { fine: 3 },
      )
    },
    undo: mendTools,
    status: 'rolled-back',
    reason: 'the kernel does not hold what was written: iptables',
  },
  {
    what: 'its tools lie on the way there and on the way back',
    make: (node) => breakTool(node, 'iptables-restore', 'lies', { fine: 1, times: 'always' }),
    undo: mendTools,
    status: 'unknown',
    reason: 'what was there before could not be made again: it is kept in ',
  },
  {
    what: 'it is started anew in the middle',
    make: (node) => breakTool(node, 'iptables-restore', 'waits'),
    happens: async (node) => {
      await waiting(node)
      await node.reboot()
    },
    status: 'unknown',
    reason: 'cut off: the node was started anew',
  },
  {
    what: 'its new rules let no new login in, but leave the old one',
    make: nothing,
    pushedWith: 'a release that forwards SSH',
    status: 'rolled-back',
    reason: 'no new connection: ',
  },
  {
    what: 'its new rules let nobody in any more',
    make: nothing,
    pushedWith: 'a release that drops SSH',
    status: 'rolled-back',
    reason: 'not confirmed in time',
  },
  {
    what: 'its table of connections fills up',
    make: (node) => breakTool(node, 'iptables-restore', { does: fillConnections }),
    undo: async (node) => {
      await node.run('conntrack -F')
      await mendTools(node)
    },
    status: 'rolled-back',
    reason: 'no new connection: ',
  },
  {
    what: 'it hangs for ever',
    make: (node) => breakTool(node, 'iptables-restore', 'waits'),
    undo: mendTools,
    pushedWith: 'a release in a hurry',
    status: 'rolled-back',
    reason: 'not confirmed in time',
  },
]

const nameOf = (index: number) => `nc-${String(index + 1).padStart(2, '0')}`
const idOf = (index: number) => `i-000000${index + 10}`
const on = (index: number, group: string) => ({ node: nameOf(index), groups: [group] })

const first: World = {
  instances: Object.fromEntries(
    faults.map((_, index) => [idOf(index), { ...on(index, 'sg-aaaaaaaa'), public: true as const }]),
  ),
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere'] },
}
const second: World = {
  instances: Object.fromEntries(
    faults.flatMap((_, index) => [
      [idOf(index), on(index, 'sg-bbbbbbbb')] as const,
      [`i-1000000${index}`, on(index, 'sg-bbbbbbbb')] as const,
    ]),
  ),
  groups: { 'sg-bbbbbbbb': ['tcp 80 from anywhere'] },
}

describeLab('while a push is at work on a node', () => {
  let lab: Lab
  let before: Readonly<Record<string, Dump>>
  let after: Readonly<Record<string, Dump>>
  let outcomes: Readonly<Record<string, Outcome>>

  beforeAll(async () => {
    lab = await startLab({ nodes: faults.length, world: first })
    await mustPush(lab)
    before = await dumpAll(lab)
    const pushes = await releasesFor(lab)
    await Promise.all(faults.map(({ make }, index) => make(lab.node(nameOf(index)))))
    await lab.publish(second)
    const [pushed] = await Promise.all([
      Promise.all(
        Object.entries(pushes).map(async ([by, bring]) => {
          const theirs = faults.flatMap(({ pushedWith = 'our release' }, index) =>
            pushedWith === by ? [nameOf(index)] : [],
          )
          return await bring('--limit', theirs.join(':'))
        }),
      ),
      Promise.all(faults.map(({ happens = nothing }, index) => happens(lab.node(nameOf(index))))),
    ])
    outcomes = Object.assign({}, ...pushed.map((one) => one.outcomes))
    after = await dumpAll(lab)
  }, 180_000)
  afterAll(() => lab?.stop())

  const numbered = faults.map((fault, index) => ({ ...fault, node: nameOf(index) }))

  it.each(numbered)('$what: $status', ({ node, status, reason }) => {
    expect(outcomes[node]).toMatchObject({ status, reason: expect.stringContaining(reason) })
    if (status === 'rolled-back') expect(after[node]).toEqual(before[node])
  })

  it('no watch is left where a node went back', async () => {
    for (const { node } of numbered.filter(({ status }) => status === 'rolled-back')) {
      expect(await lab.node(node).run(`ls ${state}`)).not.toMatch(/^pending$/m)
      await lab.node(node).run('while ps -eo args | grep -q "[a]pply.sh expire"; do sleep 0.01; done')
    }
  })

  it('a power cut leaves a node with nothing of ours in its kernel, and says so', async () => {
    const { name } = lab.node(nameOf(faults.findIndex(({ what }) => what.startsWith('it is started anew'))))
    expect(after[name]?.iptables).not.toContain('sg-')
    expect((await lab.edgepush(['status', 'push.yml', '--live'])).stdout).toMatch(
      new RegExp(`^${name} +unknown .*differs: `, 'm'),
    )
  })

  it('the next push makes all of them good', async () => {
    await Promise.all(faults.map(({ undo = nothing }, index) => undo(lab.node(nameOf(index)))))
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
  })
})
