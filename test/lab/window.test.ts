// The window: what is committed and not confirmed over a new connection goes back, whoever is gone by then.

import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabNode } from '../../lab/make-node.ts'
import type { Station } from '../../lab/probes-from.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { type Dump, dump } from './dump.ts'
import { mustPush, type Pushed, push } from './push.ts'
import { describeLab } from './with-lab.ts'

const first: World = {
  instances: { 'i-0a0a0a0a': { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true } },
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere'] },
}
const second: World = {
  instances: { ...first.instances, 'i-0b0b0b0b': { node: 'nc-01', groups: ['sg-bbbbbbbb'], public: true } },
  groups: { 'sg-aaaaaaaa': ['tcp 80 from anywhere'], 'sg-bbbbbbbb': [] },
}

const STATE = '/var/lib/edgepush'

describeLab('a commit that waits for its confirmation', () => {
  let lab: Lab
  let node: LabNode
  let before: Dump

  beforeAll(async () => {
    lab = await startLab({ nodes: 1, world: first })
    node = lab.node('nc-01')
  })
  afterAll(() => lab?.stop())

  beforeEach(async () => {
    await lab.publish(first)
    await mustPush(lab)
    before = await dump(node)
    await lab.publish(second)
  })

  it('is awaited, and kept when a person confirms it', async () => {
    const run = runOf(await push(lab, ['--confirm-window', '1m']))
    expect(await dump(node)).not.toEqual(before)
    expect((await lab.edgepush(['status', 'push.yml', '--live'])).stdout).toMatch(
      new RegExp(`^nc-01 +awaiting .* waits \\d+ s for edgepush confirm ${run}$`, 'm'),
    )

    expect(await lab.edgepush(['confirm', run, 'push.yml'])).toMatchObject({ code: 0 })
    expect(await mustPush(lab)).toEqual({ 'nc-01': 'unchanged' })
    // Said twice it is as true; what is confirmed is not taken back.
    expect(await lab.edgepush(['confirm', run, 'push.yml'])).toMatchObject({ code: 0 })
    expect(await lab.edgepush(['abort', run, 'push.yml'])).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('it is confirmed already'),
    })
    await windowless(node)
  })

  it('is taken back when a person says so, all of it', async () => {
    const run = runOf(await push(lab, ['--confirm-window', '1m']))
    const { code, stdout } = await lab.edgepush(['abort', run, 'push.yml'])
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^nc-01 +rolled-back .*\nnc-01: a person took it back$/m),
    })
    expect(await dump(node)).toEqual(before)
    expect(await lab.edgepush(['confirm', run, 'push.yml'])).toMatchObject({
      code: 5,
      stdout: expect.stringContaining('it went back to'),
    })
    await windowless(node)
  })

  it('goes back by itself when nobody says anything, and tells why', async () => {
    const run = runOf(await push(lab, ['--confirm-window', '15s']))
    await goneBack(node, run)
    expect(await dump(node)).toEqual(before)
    expect(await node.run(`cat ${STATE}/journal`)).toMatch(
      new RegExp(`${run} .* went back to .*: not confirmed in time$`, 'm'),
    )
    // Too late is too late.
    expect(await lab.edgepush(['confirm', run, 'push.yml'])).toMatchObject({ code: 5 })
    expect(await dump(node)).toEqual(before)
  })

  it('waits longer when it is told in time', async () => {
    const run = runOf(await push(lab, ['--confirm-window', '15s']))
    const held = await dump(node)
    expect(await lab.edgepush(['extend', run, 'push.yml', '--by', '1h'])).toMatchObject({ code: 0 })
    await secondsOfUptime(node, 16)
    expect(await dump(node)).toEqual(held)
    expect(await lab.edgepush(['confirm', run, 'push.yml'])).toMatchObject({ code: 0 })
  })

  it('is left alone by another run, which says whose it is', async () => {
    const run = runOf(await push(lab, ['--confirm-window', '1m']))
    const held = await dump(node)
    await lab.publish({ instances: {}, groups: {} })
    const other = await push(lab)
    expect(other.code).toBe(10)
    expect(other.outcomes['nc-01']).toMatchObject({
      status: 'refused',
      phase: 'stage',
      reason: expect.stringMatching(
        new RegExp(`^run ${run} waits \\d+ s more for its confirmation here: edgepush confirm`),
      ),
    })
    expect(await dump(node)).toEqual(held)
    await lab.edgepush(['abort', run, 'push.yml'])
    expect(await mustPush(lab)).toEqual({ 'nc-01': 'converged' })
  })

  it.each([
    [
      'the controller and the network are gone',
      async (node: LabNode) => await node.cut(),
      async (node: LabNode) => await node.mend(),
    ],
    [
      'sshd and everything that it began is killed',
      async (node: LabNode) => {
        await node.run(killAll('sshd'))
        await node.run(`ps -eo pid,args | awk '/apply[.]sh/ && !/expire/ { print $1 }' | xargs -r kill -9`)
      },
      async (node: LabNode) => await node.reboot(),
    ],
    [
      'the state can be read but not written any more',
      async (node: LabNode) => await node.run(`mount --bind ${STATE} ${STATE} && mount -o remount,bind,ro ${STATE}`),
      async (node: LabNode) => await node.run(`umount ${STATE}`),
    ],
    [
      'the disk is full',
      async (node: LabNode) =>
        await node.run(`cp -a ${STATE} /tmp/kept && mount -t tmpfs -o size=2m full ${STATE} && cp -a /tmp/kept/. ${STATE}
          cat /dev/zero > ${STATE}/filler 2> /dev/null; df ${STATE} | grep -q '100%'`),
      async (node: LabNode) => {
        await node.run(
          `rm ${STATE}/filler && rm -rf /tmp/kept && cp -a ${STATE} /tmp/kept && umount ${STATE} && cp -a /tmp/kept/. ${STATE}`,
        )
      },
    ],
  ])('goes back also when %s', async (_, happens, undo) => {
    const run = runOf(await push(lab, ['--confirm-window', '15s']))
    await happens(node)
    for (let tries = 0; JSON.stringify(await dump(node)) !== JSON.stringify(before) && tries < 100; tries += 1)
      await secondsOfUptime(node, 1)
    expect(await dump(node)).toEqual(before)
    await undo(node)
    expect(run).toMatch(/^20/)
  })

  it('is watched without systemd, too, also where systemd should answer and does not', async () => {
    await node.run('mkdir -p /run/systemd/system')
    const run = runOf(await push(lab, ['--confirm-window', '15s']))
    await goneBack(node, run)
    expect(await dump(node)).toEqual(before)
    await node.run('rmdir /run/systemd/system')
  })

  it('has a journal in which no line can be changed or left out unseen', async () => {
    const journal = await node.run(`cat ${STATE}/journal`)
    expect(firstBroken(journal)).toBeUndefined()
    expect(firstBroken(journal.replace('confirmed', 'Confirmed'))).toBeTypeOf('number')
    expect(firstBroken(journal.replace(/^.*confirmed\n/m, ''))).toBeTypeOf('number')

    const doctor = async () => await lab.edgepush(['doctor', 'push.yml'])
    const lines = journal.trimEnd().split('\n').length
    expect(await doctor()).toMatchObject({ code: 0, stdout: expect.stringContaining(`${lines} lines, whole`) })
    await node.run(`printf 'half a li' >> ${STATE}/journal`)
    await mustPush(lab)
    expect(await doctor()).toMatchObject({ code: 0, stdout: expect.stringContaining(' lines, whole') })
    await node.run(`sed -i '1,/ confirmed$/{/ confirmed$/d}' ${STATE}/journal`)
    expect(await doctor()).toMatchObject({ code: 3, stderr: expect.stringMatching(/nc-01: line 3 of its journal/) })
  })
})

/** The run of a push that awaits its confirmation on every node. */
function runOf({ code, outcomes, stderr }: Pushed): string {
  const [outcome] = Object.values(outcomes)
  if (code !== 0 || outcome?.status !== 'awaiting') throw new Error(JSON.stringify({ code, outcomes, stderr }))
  return outcome.next?.split(' ').at(-1) ?? ''
}

const killAll = (name: string) => `pkill -9 -x ${name} || true`

async function windowless(node: Station): Promise<void> {
  expect(await node.run(`ls ${STATE}`)).not.toMatch(/pending/)
  await node.run(
    "for _ in $(seq 500); do ps -eo args | grep -q '[a]pply.sh expire' || exit 0; sleep 0.01; done; exit 1",
  )
}

async function goneBack(node: Station, run: string): Promise<void> {
  await node.run(
    `for _ in $(seq 6000); do grep -q '${run} .* went back' ${STATE}/journal && exit 0; sleep 0.01; done; exit 1`,
  )
}

async function secondsOfUptime(node: Station, seconds: number): Promise<void> {
  await node.run(
    `end=$(($(cut -d . -f 1 /proc/uptime) + ${seconds})); until [ "$(cut -d . -f 1 /proc/uptime)" -ge $end ]; do sleep 0.1; done`,
  )
}

/** The number of the first line that is not what its digest says. */
function firstBroken(journal: string): number | undefined {
  let earlier = ''
  for (const [index, line] of journal.trimEnd().split('\n').entries()) {
    const [digest = ''] = line.split(' ')
    const text = line.slice(digest.length + 1)
    if (createHash('sha256').update(`${earlier} ${text}\n`).digest('hex') !== digest) return index + 1
    earlier = digest
  }
  return undefined
}
