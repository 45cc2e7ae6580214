/** Real nodes that begin together, and what becomes of those that wait when others fail, or nobody is left to tell them. */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabNode } from '../../lab/make-node.ts'
import { packageRoot } from '../../lab/start-agent.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { RunEvent } from '../../src/run/event.ts'
import { dumpAll } from './dump.ts'
import { all, mustPush, push, readPushed } from './push.ts'
import { breakTool, mendTools, waiting } from './sabotage.ts'
import { describeLab } from './with-lab.ts'

const CLI = join(packageRoot(), 'dist', 'cli.js')
const NAMES = ['nc-01', 'nc-02', 'nc-03', 'nc-04']

describeLab('nodes that begin together', () => {
  let lab: Lab
  let playbook: string
  let port = 1000

  beforeAll(async () => {
    lab = await startLab({ nodes: NAMES.length })
    playbook = await readFile(lab.files.playbook, 'utf8')
    await mustPush(lab)
  })
  afterAll(() => lab?.stop())

  beforeEach(async () => {
    await lab.publish(changed(lab))
    await stages('[{ name: all, targets: [all] }]')
  })

  /** Every node has something to change. */
  function changed({ world, nodes }: Lab) {
    port += 1
    const { instances } = world()
    const placed = nodes.map(
      ({ name }, index) => [`i-0000000${index}`, { node: name, groups: ['sg-aaaaaaaa'] }] as const,
    )
    return {
      instances: { ...instances, ...Object.fromEntries(placed) },
      groups: { ...world().groups, 'sg-aaaaaaaa': [`tcp ${port} from anywhere`] },
    }
  }

  const stages = (text: string) =>
    writeFile(lab.files.playbook, playbook.replace(/^stages:[\s\S]*$/m, `stages: ${text}\n`))
  const journals = () => Promise.all(lab.nodes.map((node) => node.run('cat /var/lib/edgepush/journal')))
  /** No more than it takes: what a node waits for is a line of its own output. */
  const isReady = (node: LabNode) =>
    node.run(
      'until pgrep -f "[a]pply.sh commit" > /dev/null && [ "$(sed -n "s/^state //p" /var/lib/edgepush/pending)" = committing ]; do sleep 0.01; done',
    )

  it('change within a moment of each other, which is told and recorded', async () => {
    const { code, stdout } = await lab.edgepush(['push', 'push.yml', '--json'])
    expect(code).toBe(0)
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as RunEvent)
    const begun = events.findIndex((event) => event.type === 'phase' && event.phase === 'commit')
    const ready = events.flatMap((event, index) => (event.type === 'phase' && event.phase === 'ready' ? [index] : []))
    expect(ready).toHaveLength(NAMES.length)
    expect(Math.max(...ready)).toBeLessThan(begun)

    const flipped = events.find((event) => event.type === 'flipped')
    expect(flipped).toMatchObject({ stage: 'all', nodes: NAMES.length })
    // Their clocks are this machine's: what they say of one another holds without correction.
    expect(flipped?.byNodes?.atMost).toBeGreaterThanOrEqual(flipped?.byNodes?.atLeast ?? Number.NaN)
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
  })

  it('do not change at all when a failure in their midst is one too many', async () => {
    await stages('[{ name: all, targets: [all], failures: 0 }]')
    const before = await dumpAll(lab)
    const refusing = lab.node('nc-02')
    await refusing.run('mount --bind /bin/false /usr/bin/unshare')
    const { code, outcomes } = await push(lab)
    await refusing.run('umount /usr/bin/unshare')
    expect(code).toBe(4)
    expect(outcomes['nc-02']).toMatchObject({ status: 'refused', phase: 'stage' })
    for (const name of ['nc-01', 'nc-03', 'nc-04']) {
      expect(outcomes[name]).toMatchObject({ status: 'not-attempted', reason: '1 node failed, and the run stops at 1' })
    }
    expect(await dumpAll(lab)).toEqual(before)

    const { stdout } = await lab.edgepush(['retry', 'push.yml', '--json'])
    expect(readPushed({ code: 0, stdout, stderr: '' }).outcomes).toMatchObject(
      Object.fromEntries(NAMES.map((name) => [name, { status: 'converged' }])),
    )
  })

  it.each([
    ['50%', 4, 'not-attempted'],
    ['3', 6, 'converged'],
  ])(
    'count those that do not answer: half of them, where %s may fail, is exit code %i',
    async (failures, code, others) => {
      await stages(`[{ name: all, targets: [all], failures: ${failures} }]`)
      await Promise.all(['nc-01', 'nc-02'].map((name) => lab.node(name).cut()))
      const pushed = await push(lab)
      await Promise.all(['nc-01', 'nc-02'].map((name) => lab.node(name).mend()))
      expect(pushed.code).toBe(code)
      expect(Object.fromEntries(Object.entries(pushed.outcomes).map(([name, { status }]) => [name, status]))).toEqual({
        'nc-01': 'unreachable',
        'nc-02': 'unreachable',
        'nc-03': others,
        'nc-04': others,
      })
    },
  )

  it('have changed nothing when the controller dies while they wait, and are free at once', async () => {
    const before = await dumpAll(lab)
    const slow = lab.node('nc-04')
    // What is saved before a commit begins with a look at the sets.
    await breakTool(slow, 'ipset', 'waits')
    const controller = lab.admin.spawn([process.execPath, CLI, 'push', 'push.yml'], { cwd: lab.files.directory })
    await waiting(slow)
    await Promise.all(lab.nodes.slice(0, 3).map(isReady))
    lab.admin.kill(controller)
    await slow.run('echo > /tmp/wrapped/gate')
    await Promise.all(
      lab.nodes.map((node) => node.run('while pgrep -f "[a]pply.sh commit" > /dev/null; do sleep 0.01; done')),
    )
    await mendTools(slow)
    expect(await dumpAll(lab)).toEqual(before)
    for (const journal of await journals()) expect(journal.trimEnd().split('\n').at(-1)).toContain('told not to begin')
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
  })

  it('have changed nothing when the user ends the run while they wait', async () => {
    const before = await dumpAll(lab)
    const slow = lab.node('nc-04')
    await breakTool(slow, 'ipset', 'waits')
    const controller = lab.admin.spawn([process.execPath, CLI, 'push', 'push.yml', '--json'], {
      cwd: lab.files.directory,
    })
    const ended = new Promise<number | null>((resolve) => controller.once('close', resolve))
    await waiting(slow)
    await Promise.all(lab.nodes.slice(0, 3).map(isReady))
    lab.admin.kill(controller, 'SIGINT')
    await slow.run('echo > /tmp/wrapped/gate')
    expect(await ended).toBe(130)
    await mendTools(slow)
    expect(await dumpAll(lab)).toEqual(before)
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
  })

  it('do not change at all when more of them would than may, or one would lose more, unless that is meant', async () => {
    const guard = (text: string) =>
      writeFile(
        lab.files.playbook,
        `${playbook.replace(/^stages:[\s\S]*$/m, '')}guard: ${text}\nstages: [{ name: all, targets: [all] }]\n`,
      )
    const before = await dumpAll(lab)
    await guard('{ changed: 50% }')
    const { code, outcomes } = await push(lab)
    expect(code).toBe(8)
    expect(outcomes['nc-01']).toMatchObject({
      status: 'not-attempted',
      reason: 'guard changed: 4 of 4 nodes would change, which is more than 50%',
      next: 'if it is meant so: --force changed',
    })
    expect(await dumpAll(lab)).toEqual(before)
    expect(await mustPush(lab, ['--force', 'changed'])).toEqual(all(lab, 'converged'))

    await guard('{ shrink: 20% }')
    const { world } = lab
    await lab.publish({ ...world(), instances: Object.fromEntries(Object.entries(world().instances).slice(0, 1)) })
    const held = await dumpAll(lab)
    const shrunk = await push(lab)
    expect(shrunk.code).toBe(8)
    expect(shrunk.outcomes['nc-02']?.reason).toMatch(
      /^guard shrink: bundles would shrink by more than 20%: nc-0\d from \d+ to \d+/,
    )
    expect(await dumpAll(lab)).toEqual(held)
    expect(await mustPush(lab, ['--force', 'shrink'])).toEqual(all(lab, 'converged'))
  })

  it('serve a batch after the other, and stop where a budget is reached', async () => {
    await stages('[{ name: all, targets: [all], batches: [1, 2], failures: 2 }]')
    await lab.node('nc-01').cut()
    await lab.node('nc-02').cut()
    const { code, outcomes } = await push(lab)
    await lab.node('nc-01').mend()
    await lab.node('nc-02').mend()
    expect(code).toBe(4)
    expect(
      Object.values(outcomes)
        .map(({ status }) => status)
        .toSorted(),
    ).toEqual(['not-attempted', 'unreachable', 'unreachable'])
    expect(outcomes['nc-04']).toBeUndefined()
  })
})
