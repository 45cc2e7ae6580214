// What a playbook wants verified is asked with real packets, and what fails for a real cause takes the node back.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabNode } from '../../lab/make-node.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { type Dump, dump } from './dump.ts'
import { mustPush, push } from './push.ts'
import { breakTool, mendTools } from './sabotage.ts'
import { describeLab } from './with-lab.ts'

const first: World = {
  instances: { 'i-0a0a0a0a': { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true } },
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere'] },
}
/** Another rule and another instance, so that filter and DHCP server both change; nothing of it is for nc-02. */
const second: World = {
  instances: { ...first.instances, 'i-0b0b0b0b': { node: 'nc-01', groups: ['sg-aaaaaaaa'] } },
  groups: { 'sg-aaaaaaaa': ['tcp 80 from anywhere'] },
}
const ELASTIC = '10.111.200.1'
const LEASES = '/run/eucalyptus/net/euca-dhcp.leases'
/** The node's apply script without one of its tools. */
const TRY = '/var/lib/edgepush/current/try.sh'
const METADATA = '10.111.5.10:8773'

describeLab('what a playbook wants verified', () => {
  let lab: Lab
  let node: LabNode
  let before: Dump
  let playbook: string

  beforeAll(async () => {
    lab = await startLab({ nodes: 2, world: first })
    node = lab.node('nc-01')
    playbook = await readFile(lab.files.playbook, 'utf8')
    await mustPush(lab)
    await lab.boot('i-0a0a0a0a')
  })
  afterAll(() => lab?.stop())

  beforeEach(async () => {
    await lab.publish(first)
    await mustPush(lab)
    before = await dump(node)
    await lab.publish(second)
  })
  afterEach(() => writeFile(lab.files.playbook, playbook))

  async function verifying(...checks: readonly string[]): Promise<void> {
    await writeFile(lab.files.playbook, playbook.replace(/ }\n$/, `, verify: [${checks.join(', ')}] }\n`))
  }

  async function rolledBack(reason: string | RegExp): Promise<void> {
    const { code, outcomes } = await push(lab)
    expect(outcomes['nc-01']).toMatchObject({
      status: 'rolled-back',
      phase: 'verify',
      reason: expect.stringMatching(reason),
    })
    expect(code).toBe(5)
    expect(await dump(node)).toEqual(before)
  }

  it('holds on a good node, and is no reason to keep a node without instances from being pushed to', async () => {
    await verifying(
      '{ check: reconnect, timeout: 10s }',
      'metadata',
      'dhcp',
      `{ check: probe, to: ${ELASTIC}, tcp: 80, expect: pass }`,
      `{ check: probe, to: ${ELASTIC}, tcp: 22, expect: drop, timeout: 1s }`,
    )
    expect(await mustPush(lab)).toMatchObject({ 'nc-01': 'converged' })
    await lab.publish({ instances: {}, groups: {} })
    await verifying('metadata', 'dhcp')
    expect(await mustPush(lab)).toMatchObject({ 'nc-01': 'converged', 'nc-02': 'converged' })
    expect((await dump(node)).daemon).toBe('')
  })

  it.each([
    ['does not listen', '-j REJECT --reject-with tcp-reset', `metadata: nothing answers at ${METADATA}, .*`],
    ['is not reached any more', '-j DROP', `metadata: no answer from ${METADATA} within 2 s`],
  ])('fails where the metadata service %s', async (_, fate, reason) => {
    await lab.clc.run(`iptables -I INPUT -p tcp --dport 8773 ${fate}`)
    await verifying('{ check: metadata, timeout: 2s }')
    await rolledBack(new RegExp(`^${reason}$`))
    await lab.clc.run('iptables -F INPUT')
  })

  it('fails where the DHCP server is there but does not answer', async () => {
    await breakTool(node, 'dhcpd', 'freezes')
    await verifying('{ check: dhcp, timeout: 2s }')
    await rolledBack(/^dhcp: no answer from the DHCP server on br0 within 2 s$/)
    await mendTools(node)
  })

  it.each([
    [22, 'pass', 'nothing came back within 1 s, but it should pass'],
    [80, 'drop', 'it was accepted, but it should drop'],
  ])('fails where port %i does not %s', async (port, expected, reason) => {
    await verifying(`{ check: probe, to: ${ELASTIC}, tcp: ${port}, expect: ${expected}, timeout: 1s }`)
    await rolledBack(`^probe of ${ELASTIC} port ${port}: ${reason}$`)
  })

  it('asks by ping, too', async () => {
    const tools = join(lab.files.directory, 'tools')
    await lab.admin.run(`mkdir ${tools} && ln -s /bin/busybox ${tools}/ping`)
    const env = { PATH: `${tools}:${process.env.PATH}` }
    const pinging = (expected: string) =>
      `{ check: probe, to: ${ELASTIC}, icmp: echo, expect: ${expected}, timeout: 1s }`

    await verifying(pinging('pass'))
    const { outcomes } = await push(lab, [], { env })
    expect(outcomes['nc-01']).toMatchObject({
      status: 'rolled-back',
      reason: `probe of ${ELASTIC} by ping: nothing came back within 1 s, but it should pass`,
    })
    expect(await dump(node)).toEqual(before)
    await verifying(pinging('drop'))
    expect((await push(lab, [], { env })).outcomes['nc-01']).toMatchObject({ status: 'converged' })
    await lab.publish({ ...second, groups: { 'sg-aaaaaaaa': ['icmp 8/0 from anywhere'] } })
    expect((await push(lab, [], { env })).outcomes['nc-01']).toMatchObject({
      status: 'rolled-back',
      reason: `probe of ${ELASTIC} by ping: it was answered, but it should drop`,
    })
    await verifying(pinging('pass'))
    expect((await push(lab, [], { env })).outcomes['nc-01']).toMatchObject({ status: 'converged' })
  })

  it('takes a refusal for a packet that passed', async () => {
    const machine = lab.machines.get('i-0a0a0a0a')
    await machine?.close(80)
    await verifying(`{ check: probe, to: ${ELASTIC}, tcp: 80, expect: pass }`)
    expect(await mustPush(lab)).toMatchObject({ 'nc-01': 'converged' })
    await machine?.run('iptables -t nat -D PREROUTING -p tcp --dport 80 -j ACCEPT')
  })

  it.each(['perl', 'python3'])('asks the DHCP server with %s, and nobody else notices', async (tool) => {
    await mustPush(lab)
    const other = tool === 'perl' ? 'python3' : 'perl'
    await node.run(
      `cd /var/lib/edgepush/current && sed 's/command -v ${other} /false /' apply.sh > ${TRY} && ! cmp -s apply.sh ${TRY}`,
    )
    const told = '-p IPv4 --ip-proto udp --ip-dport 67:68 -j CONTINUE'
    await node.run(`ebtables -t nat -I POSTROUTING ${told}`)
    const look = async () =>
      await node.run(`bridge fdb show | sort; ip neigh show | cut -d ' ' -f 1-5 | sort; cat ${LEASES}
        ebtables -t nat -L POSTROUTING --Lc | grep 67:68`)

    const quiet = await look()
    expect(await node.run(`sh ${TRY} try dhcp 5`)).toBe('')
    expect(await look()).toBe(quiet)
    // What a machine asks is answered to the machine.
    expect(await lab.machines.get('i-0a0a0a0a')?.dhcp()).toMatchObject({ address: '10.111.103.1' })
    expect(await look()).not.toBe(quiet)
    await node.run(`rm ${TRY}; ebtables -t nat -D POSTROUTING ${told}`)
  })
})
