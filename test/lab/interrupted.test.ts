// Everything may die at any moment: the apply script on a node, the connection, the controller. The next push converges,
// and the node holds then what a node holds that nothing ever happened to.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { packageRoot } from '../../lab/start-agent.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import type { RunEvent } from '../../src/run/event.ts'
import { expectAsIfDirectly } from './directly.ts'
import { type Dump, dump, dumpAll, shown } from './dump.ts'
import { all, mustPush, type Pushed, push } from './push.ts'
import { breakTool, mendTools, release, waiting } from './sabotage.ts'
import { describeLab } from './with-lab.ts'

/** Where the apply script is killed: a tool, how many of its calls are fine before, and what becomes of the node. */
const points = [
  // Still looking at what is there.
  ['ipset', 0, 'refused'],
  ['ipset', 2, 'rolled-back'],
  ['ipset', 4, 'rolled-back'],
  ['iptables-restore', 0, 'rolled-back'],
  ['iptables-restore', 1, 'rolled-back'],
  ['iptables-restore', 2, 'rolled-back'],
  ['ebtables-restore', 0, 'rolled-back'],
  ['dhcpd', 0, 'rolled-back'],
  ['conntrack', 0, 'rolled-back'],
  // In the confirmation, which is asked for again.
  ['ln', 0, 'converged'],
] as const

const nameOf = (index: number) => `nc-${String(index + 1).padStart(2, '0')}`

function world(group: string, isPublic: boolean, perNode: number): World {
  const instances = points.flatMap((_, index) =>
    Array.from({ length: perNode }, (_none, number) => {
      const instance = { node: nameOf(index), groups: [group], ...(isPublic ? { public: true as const } : {}) }
      return [`i-0000${number}${String(index).padStart(3, '0')}`, instance] as const
    }),
  )
  return { instances: Object.fromEntries(instances), groups: { [group]: ['tcp 22 from anywhere'] } }
}

const first = world('sg-aaaaaaaa', true, 1)
const second = world('sg-bbbbbbbb', false, 2)

describeLab('an apply script that is killed', () => {
  let lab: Lab
  let killed: Pushed
  let before: Readonly<Record<string, Dump>>

  beforeAll(async () => {
    lab = await startLab({ nodes: points.length, world: first })
    await mustPush(lab)
    before = await dumpAll(lab)
    await Promise.all(points.map(([tool, fine], index) => breakTool(lab.node(nameOf(index)), tool, 'kills', { fine })))
    await lab.publish(second)
    killed = await push(lab)
    await Promise.all(lab.nodes.map(mendTools))
  })
  afterAll(() => lab?.stop())

  it.each(points.map(([tool, fine, status], index) => ({ tool, fine, status, node: nameOf(index) })))(
    'at $tool after $fine calls is found out at once, or when it is to be confirmed: $status',
    async ({ node, status }) => {
      expect(killed.outcomes[node]).toMatchObject({ status, phase: status === 'refused' ? 'stage' : 'confirm' })
      if (status === 'converged') expect(await dump(lab.node(node))).not.toEqual(before[node])
      else expect(await dump(lab.node(node))).toEqual(before[node])
    },
  )

  it('ends the push with the exit code for that', () => {
    expect(killed.code).toBe(5)
  })

  it('keeps no other push from converging', async () => {
    expect(await mustPush(lab)).toEqual({ ...all(lab, 'converged'), 'nc-10': 'unchanged' })
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
    await expectAsIfDirectly(lab)
    expect(await lab.node('nc-01').run('ls /var/lib/edgepush')).not.toMatch(/work|incoming/)
  })
})

describeLab('a controller that is killed in the middle of a push', () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await startLab({ nodes: 2 })
    await mustPush(lab)
  })
  afterAll(() => lab?.stop())

  it('leaves a record that can be read, and nodes that the next push makes good', async () => {
    const node = lab.node('nc-01')
    await breakTool(node, 'iptables-restore', 'waits')
    await lab.publish({ instances: {}, groups: {} })
    const cli = join(packageRoot(), 'dist', 'cli.js')
    const controller = lab.admin.spawn([process.execPath, cli, 'push', 'push.yml'], { cwd: lab.files.directory })
    await waiting(node)
    if (controller.pid !== undefined) process.kill(-controller.pid, 'SIGKILL')
    await release(node)
    await node.run('while grep -q committing /var/lib/edgepush/pending; do sleep 0.01; done')
    await mendTools(node)

    const folder = join(lab.files.directory, 'admin', '.local', 'state', 'edgepush', 'lab', 'runs')
    const runs = (await readdir(folder)).toSorted()
    const events = (await readFile(join(folder, runs.at(-1) ?? ''), 'utf8')).trimEnd().split('\n')
    const types = events.map((line) => (JSON.parse(line) as RunEvent).type)
    expect(types.slice(0, 2)).toEqual(['run-started', 'stage-started'])
    expect(types).not.toContain('run-finished')

    expect((await lab.edgepush(['status', 'push.yml'])).stdout).toMatch(/^nc-01 +converged /m)
    expect((await push(lab)).outcomes['nc-01']).toMatchObject({ status: 'refused', heldElsewhere: true })
    const [, run = ''] =
      /edgepush confirm (\S+)/.exec((await lab.edgepush(['status', 'push.yml', '--live'])).stdout) ?? []
    expect((await lab.edgepush(['abort', run, 'push.yml'])).code).toBe(0)
    expect((await mustPush(lab))['nc-01']).toBe('converged')
    expect(await shown(node)).not.toContain('sg-')
  })

  it('is not missed by a node in the middle of a commit: it comes to its end alone', async () => {
    const node = lab.node('nc-02')
    await breakTool(node, 'iptables-restore', 'waits')
    await lab.publish({
      instances: { 'i-0a0a0a0a': { node: 'nc-02', groups: ['sg-aaaaaaaa'] } },
      groups: { 'sg-aaaaaaaa': [] },
    })
    const pushing = push(lab, ['--node', 'nc-02'])
    await waiting(node)
    await node.cut()
    await release(node)
    await node.run(
      'for _ in $(seq 6000); do tail -n 1 /var/lib/edgepush/journal | grep -q committed && exit 0; sleep 0.01; done; exit 1',
    )
    await node.mend()
    await mendTools(node)

    // It asks over a new connection, as soon as there can be one.
    const { outcomes } = await pushing
    expect(outcomes).toMatchObject({ 'nc-02': { status: 'converged' } })
    expect(await mustPush(lab)).toEqual({ 'nc-01': expect.any(String), 'nc-02': 'unchanged' })
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
  })
})
