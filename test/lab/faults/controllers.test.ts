// Controllers that meet, stop, wake too late or have the wrong time; logins that end. A node each, and what it holds then.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../../lab/make-lab.ts'
import type { LabNode } from '../../../lab/make-node.ts'
import { packageRoot } from '../../../lab/start-agent.ts'
import { startLab } from '../../../lab/start-lab.ts'
import type { World } from '../../../lab/world.ts'
import type { RunPhase } from '../../../src/run/outcome.ts'
import { type Dump, dump, dumpAll } from '../dump.ts'
import { mustPush, type Pushed, push, readPushed } from '../push.ts'
import { breakTool, mendTools, release, waiting } from '../sabotage.ts'
import { describeLab } from '../with-lab.ts'
import { spoiltRelease } from './spoilt.ts'

const state = '/var/lib/edgepush'
const CLI = join(packageRoot(), 'dist', 'cli.js')
const nodes = 5
const nameOf = (number: number) => `nc-${String(number).padStart(2, '0')}`

/** An instance on every node; the group lets in what the text says. */
const letting = (rule: string): World => ({
  instances: Object.fromEntries(
    Array.from({ length: nodes }, (_, index) => [
      `i-0000000${index + 1}`,
      { node: nameOf(index + 1), groups: ['sg-aaaaaaaa'], public: true as const },
    ]),
  ),
  groups: { 'sg-aaaaaaaa': [rule] },
})

interface Stopped {
  readonly controller: ChildProcess
  /** What it has said so far. */
  readonly lines: readonly string[]
}

describeLab('with other controllers and other clocks', () => {
  let lab: Lab
  let before: Readonly<Record<string, Dump>>

  beforeAll(async () => {
    lab = await startLab({ nodes, world: letting('tcp 22 from anywhere') })
    await mustPush(lab)
    before = await dumpAll(lab)
    await writeFile(
      join(lab.files.directory, 'short.yml'),
      (await readFile(lab.files.playbook, 'utf8')).replace('parallel:', 'window: 5s, parallel:'),
    )
    await lab.publish(letting('tcp 80 from anywhere'))
  })
  afterAll(() => lab?.stop())

  /** A controller that shares nothing with the first, not even its locks. */
  const elsewhere = () => ({ env: { EDGEPUSH_STATE: join(lab.files.directory, 'another controller') } })

  it('two that push at once do not meet on a node: one serves it, the other is told whose it is', async () => {
    const node = lab.node(nameOf(1))
    await breakTool(node, 'iptables-restore', 'waits')
    const one = push(lab, ['--node', node.name])
    await waiting(node)
    const other = push(lab, ['--node', node.name], elsewhere())
    await node.run('until ps -eo args | grep -q "[a]pply.sh check"; do sleep 0.01; done')
    await release(node)
    expect((await one).outcomes[node.name]).toMatchObject({ status: 'converged' })
    expect(await other).toMatchObject({
      code: 10,
      outcomes: { [node.name]: { status: 'refused', heldElsewhere: true } },
    })
    await mendTools(node)
    expect(await mustPush(lab, ['--node', node.name])).toEqual({ [node.name]: 'unchanged' })
  })

  it('one that sleeps while another serves the node does nothing when it wakes, with its old view', async () => {
    const node = lab.node(nameOf(2))
    await breakTool(node, 'iptables-save', 'waits', { during: 'apply[.]sh held' })
    const zombie = startPush([node], 'push.yml')
    // The node has told it by now which run was the last.
    await waiting(node)
    lab.admin.kill(zombie.controller, 'SIGSTOP')
    await release(node)
    await node.run('while ps -eo args | grep -q "[a]pply.sh held"; do sleep 0.01; done')
    await mendTools(node)
    await lab.publish(letting('tcp 443 from anywhere'))
    expect(await push(lab, ['--node', node.name], elsewhere())).toMatchObject({ code: 0 })
    const held = await dump(node)
    expect((await woken(zombie)).outcomes[node.name]).toMatchObject({
      status: 'refused',
      phase: 'stage',
      heldElsewhere: true,
      reason: expect.stringContaining('was here since this run asked the node'),
    })
    expect(await dump(node)).toEqual(held)
  })

  it('one that sleeps while a node waits for the word keeps others out only as long as the node waits', async () => {
    const [node, other] = [lab.node(nameOf(2)), lab.node(nameOf(4))]
    const held = await dump(node)
    await spoiltRelease(lab, 'impatient', 'templates/node/window.sh', (text) =>
      text.replace('longest_wait=300', 'longest_wait=2').replace('longest_commit=120', 'longest_commit=2'),
    )
    await lab.publish(letting('tcp 444 from anywhere'))
    // What is saved before a commit begins with a look at the sets.
    await breakTool(other, 'ipset', 'waits')
    const zombie = startPush([node, other], 'short.yml', join(lab.files.directory, 'impatient/dist/cli.js'))
    await waiting(other)
    await node.run(`until ps -eo args | grep -q '[a]pply.sh expire'; do sleep 0.01; done`)
    lab.admin.kill(zombie.controller, 'SIGSTOP')
    await wentBack(node)
    expect(await dump(node)).toEqual(held)
    expect(await push(lab, ['--node', node.name], elsewhere())).toMatchObject({ code: 0 })
    const served = await dump(node)
    await release(other)
    expect((await woken(zombie)).outcomes[node.name]).toMatchObject({ status: 'rolled-back', phase: 'stage' })
    await mendTools(other)
    expect(await dump(node)).toEqual(served)
  })

  it('one that sleeps over the end of its window cannot confirm any more, and says so', async () => {
    const node = lab.node(nameOf(3))
    const zombie = await stoppedAt('verify', node, 'short.yml')
    await wentBack(node)
    expect((await woken(zombie)).outcomes[node.name]).toMatchObject({
      status: 'rolled-back',
      reason: expect.stringContaining('not confirmed in time'),
    })
    expect(await dump(node)).toEqual(before[node.name])
  })

  it('a run of which the node knows nothing is neither confirmed nor taken back', async () => {
    for (const word of ['confirm', 'abort']) {
      const argv = [word, '20260101T000000Z-ffffff', 'push.yml', '--node', nameOf(3)]
      const { code, stdout } = await lab.edgepush(argv)
      expect({ code, stdout }).toMatchObject({
        code: 3,
        stdout: expect.stringContaining('nothing is known here of run 20260101T000000Z-ffffff'),
      })
    }
  })

  it('a controller whose clock is years behind is served as any other', async () => {
    const node = lab.node(nameOf(1))
    const clock = 'globalThis.Date = class extends Date { constructor(...a) { super(...(a.length ? a : [1e12])) } }'
    const NODE_OPTIONS = `--import "data:text/javascript,${encodeURIComponent(clock)}"`
    await lab.publish(letting('tcp 25 from anywhere'))
    const { outcomes, code } = await push(lab, ['--node', node.name], { env: { NODE_OPTIONS } })
    expect({ code, outcomes }).toMatchObject({ code: 0, outcomes: { [node.name]: { status: 'converged' } } })
    expect(await node.run(`cat ${state}/epoch`)).toMatch(/ 20010909T014640Z-/)
  })

  it('a login on a terminal that is killed ends no commit, and keeps nobody from going back', async () => {
    const node = lab.node(nameOf(4))
    const earlier = (await node.run(`basename "$(readlink ${state}/current)"`)).trim()
    await mustPush(lab, ['--node', node.name])
    const held = await dump(node)
    const asked = (run: string, window: number) =>
      `echo go | sh ${state}/gen/${earlier}/apply.sh commit ${run} $(($(cut -d ' ' -f 1 ${state}/epoch) + 1)) ${window}`
    const ssh = ['ssh', '-i', lab.files.key, '-o', `UserKnownHostsFile=${lab.files.knownHosts}`]

    await breakTool(node, 'iptables-restore', 'waits')
    const client = lab.admin.spawn([...ssh, '-tt', `root@${node.address}`, asked('killed', 5)], { stdin: '' })
    await waiting(node)
    lab.admin.kill(client)
    await node.run('while ps -eo args | grep -q "^sshd: root@pts"; do sleep 0.01; done')
    await release(node)
    await node.run(`until grep -q ' killed .* committed' ${state}/journal; do sleep 0.01; done`)
    await wentBack(node)
    expect(await dump(node)).toEqual(held)
    await mendTools(node)

    // The watch keeps no login open.
    await lab.admin.run([...ssh, `root@${node.address}`, asked('short', 3600)])
    await node.run('ps -eo args | grep -q "[a]pply.sh expire short"')
    await node.exec(`sh ${state}/gen/${earlier}/apply.sh abort short 'no more'`)
    expect(await dump(node)).toEqual(held)
  })

  it('a node that takes logins but no commands is not reached, and says which setting to look at', async () => {
    const node = lab.node(nameOf(5))
    await node.run(`sed -i 's/^MaxSessions.*/MaxSessions 0/' /etc/ssh/sshd_config && kill -HUP $(cat /run/sshd.pid)
      until grep -q 'Received SIGHUP' /run/sshd.log && [ "$(grep -c 'Server listening' /run/sshd.log)" -ge 2 ]; do sleep 0.01; done`)
    expect(await push(lab, ['--node', node.name])).toMatchObject({
      code: 6,
      outcomes: { [node.name]: { status: 'unreachable', reason: expect.stringContaining('see MaxSessions') } },
    })
    expect(await dump(node)).toEqual(before[node.name])
  })

  /** A push to one node that is stopped, as by a laptop's lid, when it says that it enters this phase. */
  async function stoppedAt(phase: RunPhase, node: LabNode, playbook: string): Promise<Stopped> {
    return await new Promise((resolve) => {
      const stopped = startPush([node], playbook, CLI, (line) => {
        if (!line.includes(`"phase":"${phase}"`)) return
        lab.admin.kill(stopped.controller, 'SIGSTOP')
        resolve(stopped)
      })
    })
  }

  function startPush(
    targets: readonly LabNode[],
    playbook: string,
    cli = CLI,
    hear: (line: string) => void = () => undefined,
  ): Stopped {
    const only = targets.flatMap(({ name }) => ['--node', name])
    const controller = lab.admin.spawn([process.execPath, cli, 'push', playbook, '--json', ...only], {
      cwd: lab.files.directory,
    })
    const lines: string[] = []
    createInterface({ input: controller.stdout ?? process.stdin }).on('line', (line) => {
      lines.push(line)
      hear(line)
    })
    return { controller, lines }
  }

  async function woken({ controller, lines }: Stopped): Promise<Pushed> {
    // All of its group: nsenter stops with the command that it runs.
    if (controller.pid !== undefined) process.kill(-controller.pid, 'SIGCONT')
    const [code] = (await once(controller, 'close')) as [number]
    return readPushed({ code, stdout: lines.join('\n'), stderr: '' })
  }
})

async function wentBack(node: LabNode): Promise<void> {
  await node.run(`until tail -n 1 ${state}/journal | grep -q ' went back to '; do sleep 0.01; done`)
}
