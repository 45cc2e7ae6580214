/** SYSTEM on real hosts: the site's own DHCP server serves instances, and nodes are verified without anything written. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Machine } from '../../lab/boot-machine.ts'
import { type CloudFiles, plugIn } from '../../lab/configured-cloud.ts'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import { type Cloud, configuredCloud } from './configured-cloud.ts'
import { describeLab } from './with-lab.ts'

const ID = 'i-3F8A07B2'
/** The prefix, and the digits of the id. */
const MAC = 'd0:0d:3f:8a:07:b2'

const SITE = `default-lease-time 600;
subnet 10.111.0.0 netmask 255.255.0.0 {
  range 10.111.104.100 10.111.104.150;
  option routers 10.111.0.1;
}
`

const FILES: CloudFiles = {
  conf: { VNET_MODE: 'SYSTEM' },
  list: `instances:\n  ${ID}: { node: 10.111.5.51 }\n`,
  hosts: {
    'nc-01': { role: 'nc', options: { VNET_BRIDGE: 'br0' } },
    'nc-02': { role: 'nc', options: { VNET_BRIDGE: 'br1' } },
  },
}

describeLab('SYSTEM', () => {
  let lab: Lab
  let cloud: Cloud
  let machine: Machine
  const statuses = async () => {
    const { outcomes } = await cloud.push()
    return Object.fromEntries(Object.entries(outcomes).map(([name, { status }]) => [name, status]))
  }
  const doctor = async (node: string) => {
    const { code, stdout, stderr } = await lab.edgepush(['doctor', 'system/push.yml', '--node', node])
    expect([code, stderr]).toEqual([0, ''])
    return stdout
  }
  const site = async () => {
    const file = (name: string) => join(lab.files.directory, name)
    await writeFile(file('site.conf'), SITE)
    await writeFile(file('site.leases'), '')
    const args = ['-cf', file('site.conf'), '-lf', file('site.leases'), '-pf', file('site.pid')]
    await lab.router.run(['dhcpd', '-4', '-q', ...args, 'pub'])
  }

  beforeAll(async () => {
    lab = await startLab({ nodes: 2, world: { instances: {}, groups: {} } })
    cloud = await configuredCloud(lab, 'system', FILES)
    await lab
      .node('nc-02')
      .run('ip link add br1 up type bridge; ip link add em9 up type veth peer name em8; ip link set em8 up')
    await lab.node('nc-02').run('ip link set em9 master br1')
  })
  afterAll(async () => {
    await machine?.stop()
    await lab?.stop()
  })

  it('nodes are converged by verification alone, and hold it the next time', async () => {
    const before = await lab
      .node('nc-01')
      .run('iptables-save; ip -o addr; ls /sys/class/net/br0/brif; find /run/eucalyptus')
    expect(await statuses()).toEqual({ 'nc-01': 'converged', 'nc-02': 'converged' })
    expect(await statuses()).toEqual({ 'nc-01': 'unchanged', 'nc-02': 'unchanged' })
    expect(
      await lab.node('nc-01').run('iptables-save; ip -o addr; ls /sys/class/net/br0/brif; find /run/eucalyptus'),
    ).toBe(before)
  })

  it('a node where nobody offers an address goes back when the playbook wants that verified', async () => {
    await cloud.write({
      verify: '[{ check: dhcp, timeout: 2s }]',
      hosts: { 'nc-01': { role: 'nc', options: { VNET_BRIDGE: 'br0' } }, 'nc-02': FILES.hosts['nc-02'] ?? never() },
    })
    await lab.edgepush(['flush', 'system/push.yml', '--node', 'nc-01'])
    const { outcomes } = await cloud.push('--node', 'nc-01')
    expect(outcomes['nc-01']).toMatchObject({
      status: 'rolled-back',
      reason: expect.stringContaining('a DHCP server on the network of br0'),
    })
    expect(await doctor('nc-02')).toMatch(/^nc-02 +dhcp +nobody offers an address on br1$/m)
  })

  it('and is converged when the site has a server', async () => {
    await site()
    expect(await statuses()).toEqual({ 'nc-01': 'converged', 'nc-02': 'unchanged' })
    expect(await doctor('nc-01')).toMatch(/^nc-01 +dhcp +10\.111\.0\.1 offers 10\.111\.104\.1\d\d$/m)
  })

  it('an instance leases from the site; its address is seen when a packet was exchanged', async () => {
    machine = await plugIn(lab, ID, MAC, 'nc-01')
    const lease = await machine.dhcp()
    expect(lease).toMatchObject({ router: '10.111.0.1', prefix: 16, server: '10.111.0.1' })
    const address = lease?.address ?? ''
    const said = await doctor('nc-01')
    expect(said).toMatch(/^nc-01 +bridge +br0 is up, with the ports (eth0 vn_i-3F8A07B2|vn_i-3F8A07B2 eth0) *$/m)
    expect(said).not.toContain(MAC)
    expect(await lab.node('nc-01').ping(address)).toEqual({ reached: true })
    expect(await doctor('nc-01')).toMatch(new RegExp(`^nc-01 +seen .*${address} is ${MAC}`, 'm'))
  })

  it('status, release and adopt know a node of which nothing is wanted', async () => {
    const { stdout } = await lab.edgepush(['status', 'system/push.yml', '--live', '--node', 'nc-01'])
    expect(stdout).toMatch(/^nc-01 +converged|^nc-01 .*holds/m)
    for (const verb of ['release', 'adopt']) {
      const { code, stdout: said } = await lab.edgepush([verb, 'system/push.yml', '--node', 'nc-01'])
      expect([code, said]).toEqual([
        0,
        expect.stringMatching(verb === 'adopt' ? /^nc-01 +converged/ : /^nc-01 +released/),
      ])
    }
    expect(await statuses()).toEqual({ 'nc-01': 'unchanged', 'nc-02': 'unchanged' })
  })

  it('a node whose bridge leads nowhere any more differs, is refused, and is good again with its port', async () => {
    await lab.node('nc-02').run('ip link set em9 nomaster')
    const { stdout } = await lab.edgepush(['drift', 'system/push.yml', '--node', 'nc-02'])
    expect(stdout).toContain('br1 has no port that is up and leads out of this node')
    expect((await cloud.push()).outcomes['nc-02']).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('br1 has no port that is up and leads out of this node'),
    })
    expect(await doctor('nc-02')).toMatch(/^nc-02 +bridge +br1 has no port/m)
    await lab.node('nc-02').run('ip link set em9 master br1')
    expect(await statuses()).toEqual({ 'nc-01': 'unchanged', 'nc-02': 'unchanged' })
  })
})

function never(): never {
  throw new Error('there is always a second host')
}
