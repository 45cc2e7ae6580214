/** A watch over real nodes: who is asked, and who is not; what it survives, and how it ends. */

import type { ChildProcess } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { Station } from '../../lab/probes-from.ts'
import { packageRoot } from '../../lab/start-agent.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { RunEvent } from '../../src/run/event.ts'
import { smallCloud } from './small-cloud.ts'
import { describeLab } from './with-lab.ts'

const CLI = join(packageRoot(), 'dist', 'cli.js')
const POLL = { timeout: 120_000, interval: 100 }

describeLab('a watch', () => {
  let lab: Lab
  let child: ChildProcess
  let said = ''
  let ended: Promise<number | null>
  let port = 7000

  beforeAll(async () => {
    lab = await startLab({ nodes: 3, world: smallCloud })
    // So that each command is a line of sshd's log.
    for (const host of [...lab.nodes, lab.clc]) {
      await host.run('echo LogLevel VERBOSE >> /etc/ssh/sshd_config && kill -HUP "$(cat /run/sshd.pid)"')
    }
    start(['--metrics', 'edgepush.prom'])
    await vi.waitUntil(() => said.includes('3 of 3 nodes asked: 3 converged'), POLL)
  })
  afterAll(async () => {
    if (child?.exitCode === null) lab.admin.kill(child)
    await lab?.stop()
  })

  function start(args: readonly string[]): void {
    child = lab.admin.spawn([process.execPath, CLI, 'watch', 'push.yml', ...args], { cwd: lab.files.directory })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    ended = new Promise((resolve) => child.once('close', resolve))
  }

  const countIn = (host: Station, words: string) => host.run(`grep -c '${words}' /run/sshd.log || true`).then(Number)
  const logins = (host: Station) => countIn(host, 'Accepted publickey')
  const commands = (host: Station) => countIn(host, 'Starting session: command')
  const askedOf = (names: readonly string[]) => Promise.all(names.map((name) => commands(lab.node(name))))
  const metrics = () => readFile(join(lab.files.directory, 'edgepush.prom'), 'utf8')

  /** Another rule of a group that only nc-02 has an instance of. Settles when the kernel there has it. */
  async function change(): Promise<{ readonly held: () => Promise<string> }> {
    port += 1
    const world = lab.world()
    await lab.publish({ ...world, groups: { ...world.groups, 'sg-dddddddd': [`tcp ${port} from sg-aaaaaaaa`] } })
    const wanted = port
    const loop = `until iptables-save -t filter | grep -q 'dport ${wanted} '; do sleep 0.02; done`
    return { held: () => lab.node('nc-02').run(loop, { timeout: POLL.timeout }) }
  }
  /** After this, whatever the change was about is confirmed and told. */
  const toldAgain = (before: number, text: string) => expect.poll(() => said.slice(before), POLL).toContain(text)
  const CONVERGED = '1 of 3 nodes asked: 1 converged'

  it('brings a change to the nodes that it changes, over the connection that is there, and asks no other', async () => {
    const others = await askedOf(['nc-01', 'nc-03'])
    const before = await Promise.all([logins(lab.node('nc-02')), logins(lab.clc)])
    const mark = said.length
    const began = performance.now()
    const { held } = await change()
    await held()
    const took = performance.now() - began
    await toldAgain(mark, CONVERGED)
    console.info(`from a changed view on the cloud controller to rules in the node's kernel: ${Math.round(took)} ms`)

    expect(await askedOf(['nc-01', 'nc-03'])).toEqual(others)
    // One to prove that the node still takes logins.
    expect(await Promise.all([logins(lab.node('nc-02')), logins(lab.clc)])).toEqual([(before[0] ?? 0) + 1, before[1]])
    expect(await metrics()).toMatch(/^edgepush_watch_change_to_confirmed_seconds\{cloud="lab"\} \d/m)
    expect(await metrics()).toMatch(/^edgepush_watch_nodes\{cloud="lab",status="converged"\} 3$/m)
  })

  it('asks no node anything about a view that was written again as it was', async () => {
    const before = await askedOf(['nc-01', 'nc-02', 'nc-03'])
    const fetched = await commands(lab.clc)
    await lab.publish(lab.world())
    await expect.poll(() => commands(lab.clc), POLL).toBeGreaterThan(fetched)
    // What comes of that round is over when the next one has come to its end.
    const mark = said.length
    await change()
    await toldAgain(mark, CONVERGED)
    const after = await askedOf(['nc-01', 'nc-02', 'nc-03'])
    expect([after[0], after[2]]).toEqual([before[0], before[2]])
  })

  it('serves a node that is down when it is back', async () => {
    const mark = said.length
    await lab.node('nc-02').cut()
    const { held } = await change()
    await toldAgain(mark, '1 of 3 nodes asked: 1 unreachable')
    expect(await metrics()).toMatch(/^edgepush_watch_nodes\{cloud="lab",status="unreachable"\} 1$/m)
    await lab.node('nc-02').mend()
    await held()
    await toldAgain(mark, CONVERGED)
  })

  it('goes on where it was when the cloud controller is back', async () => {
    const mark = said.length
    await lab.clc.run('for pid in $(pgrep sshd); do kill "$pid"; done')
    await toldAgain(mark, 'the view cannot be followed')
    const { held } = await change()
    await lab.clc.run('/usr/sbin/sshd -E /run/sshd.log')
    await held()
    await toldAgain(mark, CONVERGED)
    expect(said.slice(mark)).toContain('the view is followed again')
  })

  it('does nothing where a guard speaks against it, says so, and goes on when that is over', async () => {
    const mark = said.length
    const world = lab.world()
    const [first = ''] = Object.keys(world.instances)
    const before = await askedOf(['nc-01', 'nc-02', 'nc-03'])
    // An elastic address that is the admin's own.
    const view = lab.view(world).replaceAll(lab.instance(first).publicAddress ?? 'none', '10.111.5.5')
    const file = '/var/run/eucalyptus/global_network_info.xml'
    await lab.clc.run(`cat > ${file}.new && mv ${file}.new ${file}`, { stdin: view })
    await toldAgain(mark, 'guard path')
    expect(await metrics()).toMatch(/^edgepush_watch_refused\{cloud="lab"\} 1$/m)
    expect(await askedOf(['nc-01', 'nc-02', 'nc-03'])).toEqual(before)
    const { held } = await change()
    await held()
    await toldAgain(mark, CONVERGED)
  })

  it('reads its files again when it is told to, and keeps what it has where they are broken', async () => {
    const inventory = await readFile(lab.files.inventory, 'utf8')
    const mark = said.length
    await writeFile(lab.files.inventory, `${inventory}surprise: yes\n`)
    lab.admin.kill(child, 'SIGHUP')
    await toldAgain(mark, 'not read again: what was read before stays in force')
    expect(said.slice(mark)).toContain('surprise')
    const { held } = await change()
    await held()
    await toldAgain(mark, CONVERGED)

    await writeFile(lab.files.inventory, inventory.replace('  role: nc\n', '  role: nc\n  profile: hardened\n'))
    lab.admin.kill(child, 'SIGHUP')
    await toldAgain(mark, '3 of 3 nodes asked: 3 converged')
    await writeFile(lab.files.inventory, inventory)
  })

  it('ends in order when it is asked to, and leaves nothing behind', async () => {
    const following = () => lab.clc.run('pgrep -c -f "[e]val .*head -c" || true').then(Number)
    expect(await following()).toBeGreaterThan(0)
    lab.admin.kill(child, 'SIGINT')
    expect(await ended).toBe(130)
    await expect.poll(following, POLL).toBe(0)

    const runs = join(lab.files.directory, 'admin/.local/state/edgepush/lab/runs')
    for (const name of await readdir(runs)) {
      const lines = (await readFile(join(runs, name), 'utf8')).trimEnd().split('\n')
      const events = lines.map((line) => JSON.parse(line) as RunEvent)
      expect([events[0]?.type, events.at(-1)?.type]).toEqual(['run-started', 'run-finished'])
    }
    expect((await lab.edgepush(['lock', 'status'])).stdout).toContain('no run has any node')
  })

  it('finds in a full round what somebody has changed by hand, and mends it', async () => {
    const mark = said.length
    start(['--every', '1s'])
    await toldAgain(mark, '3 of 3 nodes asked')
    const node = lab.node('nc-01')
    const held = await node.run('iptables -t filter -S')
    // In one breath: it may be mended the next moment.
    expect(await node.run('iptables -t filter -F EUCA_FILTER_FWD && iptables -t filter -S')).not.toBe(held)
    await toldAgain(mark, '3 of 3 nodes asked: 1 converged, 2 unchanged')
    expect(await node.run('iptables -t filter -S')).toBe(held)
    lab.admin.kill(child, 'SIGTERM')
    expect(await ended).toBe(143)
  })
})
