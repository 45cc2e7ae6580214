// A node that persists is what it was when it was started anew, before anybody pushes; or it takes no instance.
//
// Nodes of the lab run no systemd: what it would start at boot is read out of the unit that is installed, and started.

import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabNode } from '../../lab/make-node.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { type Dump, dump } from './dump.ts'
import { expectPackets } from './packets.ts'
import { mustPush, push } from './push.ts'
import { breakTool, mendTools } from './sabotage.ts'
import { describeLab } from './with-lab.ts'

const world: World = {
  instances: {
    'i-0a0a0a0a': { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true },
    'i-0b0b0b0b': { node: 'nc-02', groups: ['sg-bbbbbbbb'], public: true },
  },
  groups: {
    'sg-aaaaaaaa': ['tcp 22 from anywhere', 'tcp 80 from sg-bbbbbbbb'],
    'sg-bbbbbbbb': ['tcp 22 from anywhere'],
  },
}
const changed: World = { ...world, groups: { ...world.groups, 'sg-aaaaaaaa': ['tcp 443 from anywhere'] } }

const PLACE = '/etc/systemd/system'
const UNIT = `${PLACE}/edgepush-restore.service`
const LINK = `${PLACE}/multi-user.target.wants/edgepush-restore.service`
const STATE = '/var/lib/edgepush'

describeLab('a node that persists', () => {
  let lab: Lab
  let node: LabNode
  let before: Dump

  beforeAll(async () => {
    lab = await startLab({ nodes: 2, world })
    node = lab.node('nc-01')
  })
  afterAll(() => lab?.stop())

  beforeEach(async () => {
    await lab.publish(world)
    await persist('true')
    await mustPush(lab)
    before = await dump(node)
  })

  it('has the unit of its bundle, enabled; its neighbour has none', async () => {
    expect(await node.run(`cat ${UNIT}`)).toBe(await node.run(`cat ${STATE}/current/edgepush-restore.service`))
    expect(await node.run(`readlink ${LINK}`)).toBe(`${UNIT}\n`)
    // Everybody may read units; systemd says so when they may not.
    expect(await node.run(`stat -c %a ${UNIT} ${PLACE}/multi-user.target.wants`)).toBe('644\n755\n')
    expect(await lab.node('nc-02').run(`ls ${PLACE}`)).toBe('')
  })

  it('tells no earlier version of the view after a start, where the last could not be kept', async () => {
    await node.run(`mkdir ${STATE}/version.new`)
    await lab.publish(changed)
    const { outcomes } = await push(lab)
    expect(outcomes['nc-01']).toMatchObject({
      status: 'converged',
      notes: [`${STATE}/version cannot be written`],
    })
    expect(await node.run('cat /run/eucalyptus/global_network_info.version')).toMatch(/^[0-9a-f]+$/)
    await node.run(`rmdir ${STATE}/version.new`)
    await node.reboot()
    expect(await boot(node)).toMatchObject({ code: 0 })
    expect(await node.run('ls /run/eucalyptus')).not.toContain('version')
  })

  it('is what it was after a start, before any push', async () => {
    const version = await node.run('cat /run/eucalyptus/global_network_info.version')
    await node.reboot()
    expect(await live('nc-01')).toContain('but differs: ipset, iptables, addresses, ebtables, dhcpd, placeholder')
    expect(await boot(node)).toMatchObject({ code: 0 })
    expect(await dump(node)).toEqual(before)
    expect(await node.run('cat /run/eucalyptus/global_network_info.version')).toBe(version)
    expect(await node.run(`tail -n 1 ${STATE}/journal`)).toMatch(/ made anew at boot\n$/)
    expect(await lab.edgepush(['drift', 'push.yml', '--detailed-exitcode'])).toMatchObject({ code: 0 })

    await Promise.all(['i-0a0a0a0a', 'i-0b0b0b0b'].map((id) => lab.boot(id)))
    await expectPackets(
      lab,
      `
      outside  eip-a     tcp 22     a sees outside
      outside  eip-a     tcp 80     dropped
      outside  eip-a     tcp 443    dropped
      b        a         tcp 80     a sees b
      a        outside   tcp 25     outside sees eip-a
      a        metadata  tcp 80     clc-01 sees eip-a
    `,
    )
    expect(await mustPush(lab)).toEqual({ 'nc-01': 'unchanged', 'nc-02': 'unchanged' })
  })

  it('is what was last confirmed when it was started anew in the middle of a window', async () => {
    await lab.publish(changed)
    const { outcomes } = await push(lab, ['--node', 'nc-01', '--confirm-window', '10m'])
    const run = outcomes['nc-01']?.next?.split(' ').at(-1) ?? ''
    expect(await dump(node)).not.toEqual(before)
    await node.reboot()

    expect(await boot(node)).toMatchObject({ code: 0 })
    expect(await dump(node)).toEqual(before)
    expect(await node.run(`cat ${STATE}/journal`)).toMatch(
      new RegExp(` ${run} .* cut off: the node was started anew$`, 'm'),
    )
    expect(await live('nc-01')).toMatch(/ holds [0-9a-f]{12}$/m)
    // Nobody can confirm any more what is gone.
    expect((await lab.edgepush(['confirm', run, 'push.yml', '--node', 'nc-01'])).stdout).toContain('cut off')
    expect(await dump(node)).toEqual(before)
    expect(await mustPush(lab, ['--node', 'nc-01'])).toEqual({ 'nc-01': 'converged' })
  })

  it('does not start what was never confirmed: a first push that was cut off leaves nothing behind', async () => {
    await lab.edgepush(['flush', 'push.yml', '--node', 'nc-01'])
    await push(lab, ['--node', 'nc-01', '--confirm-window', '10m'])
    expect(await node.run(`ls ${UNIT}`)).toBe(`${UNIT}\n`)
    await node.reboot()
    const [, condition = ''] = /^ConditionPathExists=(.*)$/m.exec(await node.run(`cat ${LINK}`)) ?? []
    expect(await node.run(`[ -e ${condition} ] || echo not started`)).toBe('not started\n')
  })

  it('is left alone by a unit that somebody starts by hand in the middle of a window', async () => {
    await lab.publish(changed)
    const { outcomes } = await push(lab, ['--node', 'nc-01', '--confirm-window', '10m'])
    const run = outcomes['nc-01']?.next?.split(' ').at(-1) ?? ''
    const awaiting = await dump(node)
    expect(await boot(node)).toMatchObject({ code: 23, stdout: expect.stringContaining(`edgepush confirm ${run}`) })
    expect(await dump(node)).toEqual(awaiting)
    expect(await lab.edgepush(['confirm', run, 'push.yml', '--node', 'nc-01'])).toMatchObject({ code: 0 })
  })

  it.each<[string, (node: LabNode) => Promise<unknown>, string, (node: LabNode) => Promise<unknown>]>([
    [
      'its kernel does not filter what it bridges',
      (node) => node.run('echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables'),
      'net.bridge.bridge-nf-call-iptables is 0',
      (node) => node.run('echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables'),
    ],
    [
      'its kernel does not hold what was written',
      (node) => breakTool(node, 'ebtables-restore', 'lies', { times: 'always' }),
      'the kernel does not hold what was written: ebtables',
      mendTools,
    ],
    ['a tool fails', (node) => breakTool(node, 'iptables-restore', 'fails'), 'iptables: switch failed', mendTools],
  ])('takes no instance, and says why, when %s', async (_, harm, why, mend) => {
    await node.reboot()
    await harm(node)
    const { code, stdout } = await boot(node)
    expect(code).toBe(22)
    expect(stdout).toContain(why)
    expect(await node.run(`tail -n 1 ${STATE}/journal`)).toContain(` could not be made at boot: `)
    expect(await node.run(`tail -n 1 ${STATE}/journal`)).toContain(why)
    expect(await node.run('cat /run/eucalyptus/eucanetd.pid || true; pgrep -f "[e]ucanetd-placeholder" || true')).toBe(
      '',
    )
    expect(await live('nc-01')).toMatch(/ has [0-9a-f]{12}, but differs: .*\bplaceholder\b/)
    expect(await node.run(`ls ${UNIT} ${LINK}`)).toBe(`${UNIT}\n${LINK}\n`)

    await mend(node)
    expect(await mustPush(lab, ['--node', 'nc-01'])).toEqual({ 'nc-01': 'converged' })
    expect(await dump(node)).toEqual(before)
  })

  it('is what it was also when its disk can be read but not written', async () => {
    await node.reboot()
    await node.run(`mount --bind ${STATE} ${STATE} && mount -o remount,bind,ro ${STATE}`)
    expect(await boot(node)).toMatchObject({ code: 0 })
    expect(await dump(node)).toEqual(before)
    // Nothing less ends the mount: what was started is on it.
    await node.reboot()
  })

  it.each([
    ['edited', `sed -i s/boot/held/ ${UNIT}`, '    - ExecStart=/bin/sh /var/lib/edgepush/current/apply.sh held\n'],
    ['disabled', `rm ${LINK}`, '    + it is enabled\n'],
    ['masked', `ln -sf /dev/null ${UNIT}`, '    + WantedBy=multi-user.target\n'],
  ])('is told when its unit was %s, and gets it back with the next push', async (_, harm, told) => {
    await node.run(harm)
    const { stdout } = await lab.edgepush(['drift', 'push.yml', '--node', 'nc-01'])
    expect(stdout).toMatch(/^nc-01 .* differs: persistence$/m)
    expect(stdout).toContain(told)
    const { outcomes } = await push(lab, ['--node', 'nc-01'])
    expect(outcomes['nc-01']).toMatchObject({ status: 'converged', reason: 'repaired: persistence' })
    expect(await node.run(`cat ${LINK}`)).toBe(await node.run(`cat ${STATE}/current/edgepush-restore.service`))
  })

  it('goes back to a unit that was disabled, with the rest', async () => {
    await node.run(`rm ${LINK}`)
    await lab.publish(changed)
    const { outcomes } = await push(lab, ['--node', 'nc-01', '--confirm-window', '10m'])
    expect(await node.run(`readlink ${LINK}`)).toBe(`${UNIT}\n`)
    await node.run(`rm ${STATE}/current`)
    const run = outcomes['nc-01']?.next?.split(' ').at(-1) ?? ''
    await lab.edgepush(['abort', run, 'push.yml', '--node', 'nc-01'])
    expect(await node.run(`ls ${UNIT}; readlink ${LINK} || echo disabled`)).toBe(`${UNIT}\ndisabled\n`)
  })

  it.each<[string, () => Promise<unknown>]>([
    ['persists no more', async () => await persist('false').then(() => mustPush(lab, ['--node', 'nc-01']))],
    ['is released', () => lab.edgepush(['release', 'push.yml', '--node', 'nc-01'])],
    ['is flushed', () => lab.edgepush(['flush', 'push.yml', '--node', 'nc-01'])],
    ['is flushed but for its skeleton', () => lab.edgepush(['flush', 'push.yml', '--dynamic', '--node', 'nc-01'])],
  ])('loses the unit when it %s', async (_, ends) => {
    await ends()
    expect(await node.run(`find ${PLACE} -name '*edgepush*'`)).toBe('')
  })

  /** In the inventory, for nc-01. */
  async function persist(value: string): Promise<void> {
    const text = await readFile(lab.files.inventory, 'utf8')
    const other = text.replace(/(nc-01: \{ address: [0-9.]+).* \}/, `$1, persist: ${value} }`)
    expect(other).toContain(`persist: ${value}`)
    await writeFile(lab.files.inventory, other)
  }

  async function live(name: string): Promise<string> {
    return (await lab.edgepush(['status', 'push.yml', '--live', '--node', name])).stdout
  }
})

/** As systemd would: what the unit that is enabled says, with nothing in the environment. */
async function boot(node: LabNode) {
  const [, command = ''] = /^ExecStart=(.*)$/m.exec(await node.run(`cat ${LINK}`)) ?? []
  expect(command).not.toBe('')
  return await node.exec(['env', '-i', ...command.split(' ')])
}
