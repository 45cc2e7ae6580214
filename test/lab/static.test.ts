/** STATIC on real hosts: a controller whose DHCP server knows the pairs of its instances, and bridges that are verified. */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Machine } from '../../lab/boot-machine.ts'
import { type CloudFiles, plugIn } from '../../lab/configured-cloud.ts'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import { type Cloud, configuredCloud } from './configured-cloud.ts'
import { readPushed } from './push.ts'
import { describeLab } from './with-lab.ts'

const PAIRS = ['02:aa:00:00:00:20', '02:aa:00:00:00:21', '02:aa:00:00:00:22']
const CLI = join(import.meta.dirname, '../../dist/cli.js')
const POLL = { timeout: 20_000, interval: 50 }
const CONF = '/run/eucalyptus/net/euca-dhcp.conf'

const FILES: CloudFiles = {
  conf: {
    VNET_MODE: 'STATIC',
    VNET_SUBNET: '10.111.0.0',
    VNET_NETMASK: '255.255.0.0',
    VNET_BROADCAST: '10.111.255.255',
    VNET_ROUTER: '10.111.0.1',
    VNET_DNS: '10.111.5.10',
    VNET_MACMAP: PAIRS.map((mac, index) => `${mac.toUpperCase()}=10.111.103.2${index}`).join(' '),
  },
  list: 'instances:\n  i-00000001: { node: 10.111.5.52 }\n  i-00000002: { node: 10.111.5.53 }\n',
  hosts: {
    'nc-01': { role: 'cc', options: { VNET_PRIVINTERFACE: 'br0' } },
    'nc-02': { role: 'nc', options: { VNET_BRIDGE: 'br0' } },
    'nc-03': { role: 'nc', options: { VNET_BRIDGE: 'br0' } },
  },
  verify: '[dhcp]',
}

describeLab('STATIC', () => {
  let lab: Lab
  let cloud: Cloud
  let one: Machine
  let two: Machine
  const machines: Machine[] = []
  const plug = async (id: string, pair: string, node: string) => {
    const machine = await plugIn(lab, id, pair, node)
    machines.push(machine)
    return machine
  }
  const statuses = async (...args: readonly string[]) => {
    const { outcomes } = await cloud.push(...args)
    return Object.fromEntries(Object.entries(outcomes).map(([name, { status }]) => [name, status]))
  }
  const held = () => lab.node('nc-01').run(`cat ${CONF}; cat /run/eucalyptus/net/euca-dhcp.pid`)

  beforeAll(async () => {
    lab = await startLab({ nodes: 3, world: { instances: {}, groups: {} } })
    cloud = await configuredCloud(lab, 'static', FILES)
  })
  afterAll(async () => {
    await Promise.all(machines.map((machine) => machine.stop()))
    await lab?.stop()
  })

  it('render tells what would be given out, and keeps none of it', async () => {
    const { code, stderr } = await lab.edgepush(['render', 'static/push.yml', '--node', 'nc-01'])
    expect([code, stderr]).toEqual([
      0,
      'note: instance i-00000001 would get 10.111.103.20\nnote: instance i-00000002 would get 10.111.103.21\n',
    ])
    expect((await lab.edgepush(['show'])).stdout).toBe('nothing was given out\n')
  })

  it('every host converges, and holds it the next time', async () => {
    expect(await statuses()).toEqual({ 'nc-01': 'converged', 'nc-02': 'converged', 'nc-03': 'converged' })
    const before = await held()
    expect(await statuses()).toEqual({ 'nc-01': 'unchanged', 'nc-02': 'unchanged', 'nc-03': 'unchanged' })
    expect(await held()).toBe(before)
    expect(await lab.node('nc-02').run('iptables-save; ls /run/eucalyptus/net')).toBe('')
  })

  it('show says who has which pair', async () => {
    const { stdout } = await lab.edgepush(['show'])
    expect(stdout).toMatch(/^static +instance i-00000001 +- +- +- +10\.111\.103\.20 +20\d\d-/m)
    expect(stdout).toMatch(/^static +instance i-00000002 +- +- +- +10\.111\.103\.21 +20\d\d-/m)
  })

  it('an instance leases its pair, on whatever node it is; nobody else leases anything', async () => {
    one = await plug('i-00000001', PAIRS[0] ?? '', 'nc-02')
    two = await plug('i-00000002', PAIRS[1] ?? '', 'nc-03')
    const lease = { prefix: 16, router: '10.111.0.1', dns: ['10.111.5.10'], domain: 'eucalyptus', seconds: 86400 }
    expect(await one.dhcp()).toMatchObject({ ...lease, address: '10.111.103.20' })
    expect(await two.dhcp()).toMatchObject({ ...lease, address: '10.111.103.21' })
    const other = await plug('i-000000ff', 'd0:0d:00:00:00:ff', 'nc-02')
    expect(await other.dhcp()).toBeUndefined()
    const idle = await plug('i-00000003', PAIRS[2] ?? '', 'nc-02')
    expect(await idle.dhcp()).toBeUndefined()
  })

  it('instances reach each other on any port', async () => {
    expect(await one.tcp('10.111.103.21', 4711)).toMatchObject({ reached: true, source: '10.111.103.20' })
    expect(await two.udp('10.111.103.20', 53)).toMatchObject({ reached: true })
  })

  it('the pair of an instance that is gone is given to the next; nobody else’s changes', async () => {
    await cloud.write({ list: 'instances:\n  i-00000002: { node: 10.111.5.53 }\n' })
    expect(await statuses()).toMatchObject({ 'nc-01': 'converged' })
    expect(await one.dhcp()).toBeUndefined()
    const again = 'instances:\n  i-00000003: { node: 10.111.5.52 }\n  i-00000002: { node: 10.111.5.53 }\n'
    await cloud.write({ list: again })
    expect(await statuses()).toMatchObject({ 'nc-01': 'converged' })
    expect(await one.dhcp()).toMatchObject({ address: '10.111.103.20' })
    // The file is the same but for who has the first pair, which it does not say.
    expect(await statuses()).toEqual({ 'nc-01': 'unchanged', 'nc-02': 'unchanged', 'nc-03': 'unchanged' })
    const { stdout } = await lab.edgepush(['show', '--json'])
    expect(stdout).toContain('"name":"i-00000003","address":"10.111.103.20"')
    expect(stdout).not.toContain('i-00000001')
    await cloud.write({ list: 'instances:\n  i-00000002: { node: 10.111.5.53 }\n' })
    expect(await statuses()).toMatchObject({ 'nc-01': 'converged' })
    expect(await one.dhcp()).toBeUndefined()
    expect(await two.dhcp()).toMatchObject({ address: '10.111.103.21' })
  })

  it('the same comes of the file on the controller itself, and of a command', async () => {
    const text = Object.entries(FILES.conf).map(([key, value]) => `${key}="${value}"\n`)
    await lab.node('nc-01').run('cat > /etc/eucalyptus/eucalyptus.conf', { stdin: text.join('') })
    const login = `host: 10.111.5.51, user: root, key: ${lab.files.key}, known_hosts: ${lab.files.knownHosts}`
    const source = `{ ssh: { ${login}, file: /etc/eucalyptus/eucalyptus.conf }, instances: { command: [cat, static/instances.yml] } }`
    const playbook = await readFile(join(cloud.folder, 'push.yml'), 'utf8')
    await writeFile(join(cloud.folder, 'ssh.yml'), playbook.replace(/^source: .*$/m, `source: ${source}`))
    const { outcomes } = readPushed(await lab.edgepush(['push', 'static/ssh.yml', '--json']))
    expect(Object.values(outcomes).map(({ status }) => status)).toEqual(['unchanged', 'unchanged', 'unchanged'])
    await lab.node('nc-01').run('echo \'VNET_DNS="10.111.5.11"\' >> /etc/eucalyptus/eucalyptus.conf')
    const { code, stderr } = await lab.edgepush(['push', 'static/ssh.yml'])
    expect([code, stderr]).toEqual([
      65,
      expect.stringContaining('10.111.5.51:/etc/eucalyptus/eucalyptus.conf:8: VNET_DNS is there twice'),
    ])
  })

  it('a watch follows the list', async () => {
    let said = ''
    const argv = [process.execPath, CLI, 'watch', 'static/push.yml']
    const child = lab.admin.spawn(argv, { cwd: lab.files.directory })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    const ended = new Promise((resolve) => child.once('close', resolve))
    await expect.poll(() => said, POLL).toContain('3 of 3 nodes asked: 3 unchanged')
    await cloud.write({
      list: 'instances:\n  i-00000002: { node: 10.111.5.53 }\n  i-00000004: { node: 10.111.5.52 }\n',
    })
    await expect.poll(() => said, POLL).toContain('1 of 3 nodes asked: 1 converged')
    expect(await one.dhcp()).toMatchObject({ address: '10.111.103.20' })
    lab.admin.kill(child, 'SIGINT')
    await ended
    expect((await lab.edgepush(['show'])).stdout).toMatch(/instance i-00000004 .* 10\.111\.103\.20 /)
  })

  it('a wrong file leaves the controller untouched', async () => {
    const before = await held()
    const { VNET_MACMAP: map = '' } = FILES.conf
    await cloud.write({ conf: { ...FILES.conf, VNET_MACMAP: `${map} 02:aa:00:00:00:23=10.111.103.20` } })
    const { code, stderr } = await cloud.push()
    expect(code).toBe(65)
    expect(stderr).toContain(
      'eucalyptus.conf:7: VNET_MACMAP "02:aa:00:00:00:23=10.111.103.20" has an address that stood before',
    )
    expect(await held()).toBe(before)
    await cloud.write({ conf: FILES.conf })
  })

  it('a controller without an address in the network is refused, and nodes without a bridge that leads out', async () => {
    const before = await held()
    await lab.node('nc-03').run('ip link add br1 up type bridge')
    const hosts: CloudFiles['hosts'] = {
      'nc-01': { role: 'cc', options: { VNET_PRIVINTERFACE: 'lo' } },
      'nc-02': { role: 'nc', options: { VNET_BRIDGE: 'eth0' } },
      'nc-03': { role: 'nc', options: { VNET_BRIDGE: 'br1' } },
    }
    await cloud.write({ hosts })
    const { outcomes } = await cloud.push()
    const reasons = Object.values(outcomes).map(({ status, reason }) => [status, reason])
    expect(reasons.toSorted()).toEqual([
      ['refused', expect.stringContaining('br1 has no port that is up and leads out of this node')],
      ['refused', expect.stringContaining('eth0 is no bridge (VNET_BRIDGE)')],
      ['refused', expect.stringContaining('lo (VNET_PRIVINTERFACE) has no address of 10.111.0.0/255.255.0.0')],
    ])
    expect(await held()).toBe(before)
    await cloud.write({ hosts: FILES.hosts })
  })

  it('a controller is released and adopted as it is, and makes its bundle anew', async () => {
    expect((await lab.edgepush(['release', 'static/push.yml', '--node', 'nc-01'])).code).toBe(0)
    expect(await two.dhcp()).toMatchObject({ address: '10.111.103.21' })
    const adopted = await lab.edgepush(['adopt', 'static/push.yml', '--node', 'nc-01'])
    expect([adopted.code, adopted.stderr]).toEqual([0, expect.stringContaining('nc-01: converged: adopted as it was')])
    await lab.node('nc-01').run('kill "$(cat /run/eucalyptus/net/euca-dhcp.pid)"; rm -r /run/eucalyptus/net')
    await lab.node('nc-01').run('sh /var/lib/edgepush/current/apply.sh boot')
    expect(await two.dhcp()).toMatchObject({ address: '10.111.103.21' })
  })

  it('flush leaves nothing', async () => {
    const { code } = await lab.edgepush(['flush', 'static/push.yml', '--node', 'nc-01', '--view', 'static'])
    expect(code).toBe(0)
    expect(await lab.node('nc-01').run('ls /run/eucalyptus/net; pgrep -x dhcpd || echo none')).toBe('none\n')
  })

  it('what was given out is kept in the record, whole', async () => {
    const record = join(lab.files.directory, 'admin/.local/state/edgepush/static/allocation')
    const [last] = (await lab.admin.run(`ls ${record} | sort -n | tail -n 1`)).trim().split('\n')
    expect(JSON.parse(await readFile(join(record, last ?? ''), 'utf8'))).toMatchObject({
      tags: {},
      addresses: { 'i-00000002': { address: '10.111.103.21' } },
    })
  })
})
