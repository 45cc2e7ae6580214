import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { access, mkdtemp, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { labMissing } from '../../lab/lab-missing.ts'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabNode } from '../../lab/make-node.ts'
import { startLab } from '../../lab/start-lab.ts'

const missing = labMissing()
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** What edgepush will do by its rendered files, here by hand: the lab must be of use without edgepush. */
async function startDhcpd(lab: Lab, node: LabNode): Promise<void> {
  const cluster = lab.plan.clusters[node.cluster]
  const local = Object.keys(lab.world().instances)
    .map(lab.instance)
    .filter((instance) => instance.node.name === node.name)
    .map(({ address, mac }) => `host node-${address} { hardware ethernet ${mac}; fixed-address ${address}; }`)
  const conf = [
    'default-lease-time 86400; max-lease-time 86400; ddns-update-style none;',
    'lease-file-name "/run/eucalyptus/net/euca-dhcp.leases"; pid-file-name "/run/eucalyptus/net/euca-dhcp.pid";',
    `subnet ${cluster?.subnet} netmask ${cluster?.netmask} {`,
    `  option domain-name "eucalyptus.internal"; option domain-name-servers 10.111.5.10, 8.8.8.8;`,
    `  option routers ${cluster?.gateway}; }`,
    ...local,
    '',
  ]
  const start = 'cd /run/eucalyptus/net && cat > dhcpd.conf && touch euca-dhcp.leases && dhcpd -q -cf dhcpd.conf br0'
  await node.run(start, { stdin: conf.join('\n') })
}

async function ssh(lab: Lab, address: string, command: string, knownHosts = lab.files.knownHosts) {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', `UserKnownHostsFile=${knownHosts}`]
  const flags = options.flatMap((option) => ['-o', option])
  return await lab.admin.exec(['ssh', '-F', 'none', '-i', lab.files.key, ...flags, `root@${address}`, command])
}

/** Processes of this machine that are in the network namespace, as `readlink /proc/PID/ns/net` names it. */
function processesIn(namespace: string): readonly string[] {
  return readdirSync('/proc').filter((entry) => {
    try {
      return /^\d+$/.test(entry) && readlinkSync(`/proc/${entry}/ns/net`) === namespace
    } catch {
      return false
    }
  })
}

async function outsideWorld(): Promise<string> {
  const links = await promisify(execFile)('ip', ['-o', 'link'])
  const names = links.stdout.split('\n').map((line) => line.split(':')[1])
  return JSON.stringify([names, await readFile('/proc/self/mountinfo', 'utf8')])
}

describe.skipIf(missing.length > 0)('a lab on one network', () => {
  let lab: Lab

  beforeAll(async () => {
    lab = await startLab({ nodes: 3 })
    await Promise.all(lab.nodes.map((node) => startDhcpd(lab, node)))
    await Promise.all(Object.keys(lab.world().instances).map((id) => lab.boot(id)))
  })
  afterAll(() => lab?.stop())

  const vm = (id: string) => {
    const machine = lab.machines.get(id)
    if (!machine) throw new Error(`${id} is not running`)
    return machine
  }
  const address = (id: string) => lab.instance(id).address

  it('gives every node a name, files, locks and settings of its own', async () => {
    const [one, two] = [lab.node('nc-01'), lab.node('nc-02')]
    await one.run(
      'mkdir /var/lib/edgepush && echo one > /var/lib/edgepush/mark && touch /etc/mark /tmp/mark /root/mark',
    )

    expect(await one.run('hostname')).toBe('nc-01\n')
    expect(await two.run('hostname')).toBe('nc-02\n')
    expect((await two.exec('ls /var/lib/edgepush /etc/mark /tmp/mark /root/mark')).stdout).toBe('')
    await expect(access('/etc/mark')).rejects.toThrow()
    expect(await one.run('cat /etc/eucalyptus/eucalyptus-version')).toBe('5.1.0\n')
    expect(await one.run('. /etc/eucalyptus/eucalyptus.conf; echo $VNET_BRIDGE')).toBe('br0\n')
    expect(await two.run('cat /sys/class/net/br0/address')).toBe('02:00:00:00:00:52\n')
    expect(await one.run('cat /proc/sys/net/ipv4/ip_forward')).toBe('1\n')
    expect(await one.run('cat /proc/sys/net/bridge/bridge-nf-call-iptables')).toBe('1\n')
  })

  it('does not share the xtables lock between nodes', async () => {
    const holding = lab.node('nc-01').spawn('exec flock /run/xtables.lock -c "echo held; exec sleep 60"')
    if (holding.stdout) await once(holding.stdout, 'data')
    const take = 'flock -n /run/xtables.lock true'

    expect((await lab.node('nc-01').exec(take)).code).toBe(1)
    expect((await lab.node('nc-02').exec(take)).code).toBe(0)
    lab.node('nc-01').kill(holding)
    await once(holding, 'close')
  })

  it('kills a command that takes too long, and leaves nothing of it', async () => {
    await expect(lab.node('nc-01').run('sleep 4242', { timeout: 100 })).rejects.toThrow('no end within 100 ms')
    expect(await lab.node('nc-01').run('ps -eo args')).not.toContain('sleep')
  })

  it('reaps what its daemons leave behind', async () => {
    await lab.node('nc-01').run('(sleep 0 </dev/null >/dev/null 2>&1 &)')
    await vi.waitFor(async () => expect(await lab.node('nc-01').run('ps -eo stat,args')).not.toMatch(/^Z/m))
  })

  it('lets the admin in by ssh, and checks host keys', async () => {
    expect(await ssh(lab, lab.node('nc-03').address, 'hostname')).toEqual({ code: 0, stdout: 'nc-03\n', stderr: '' })
    expect((await ssh(lab, lab.plan.clc.address, 'cat /var/run/eucalyptus/*.xml')).stdout).toBe(lab.view(lab.world()))
    expect((await ssh(lab, lab.node('nc-03').address, 'hostname', '/dev/null')).stderr).toContain('verification failed')
  })

  it('boots machines by DHCP', async () => {
    expect(await vm('i-0a0a0a0a').dhcp()).toEqual({
      address: '10.111.103.1',
      prefix: 16,
      router: '10.111.0.1',
      dns: ['10.111.5.10', '8.8.8.8'],
      domain: 'eucalyptus.internal',
      seconds: 86400,
      server: '10.111.5.51',
    })
    expect(await lab.node('nc-01').run('bridge -d link show dev vn_i-0a0a0a0a')).toContain('hairpin on')
    expect(await vm('i-0c0c0c0c').run('ip -br link show eth0')).toContain('d0:0d:0c:0c:0c:0c')
  })

  it('says that nobody leased an address', async () => {
    const world = lab.world()
    await lab.publish({ ...world, instances: { ...world.instances, 'i-0f0f0f0f': { node: 'nc-03', groups: [] } } })
    const machine = await lab.boot('i-0f0f0f0f', { dhcp: false })

    expect(await machine.dhcp()).toBeUndefined()
    await machine.stop()
    expect(await lab.node('nc-03').run('ip -br link')).not.toContain('vn_i-0f0f0f0f')
    await expect(lab.boot('i-0f0f0f0f')).rejects.toThrow('DHCP')
    expect([...lab.machines.keys()]).not.toContain('i-0f0f0f0f')
    await lab.publish(world)
  })

  it('carries packets between machines of different nodes and tells who saw whom', async () => {
    const seen = { reached: true, source: '10.111.103.1', by: 'i-0c0c0c0c' }
    expect(await vm('i-0a0a0a0a').tcp(address('i-0c0c0c0c'), 3306)).toEqual(seen)
    expect(await vm('i-0a0a0a0a').udp(address('i-0c0c0c0c'), 53)).toEqual(seen)
    expect(await vm('i-0a0a0a0a').ping(address('i-0c0c0c0c'))).toEqual({ reached: true })
    expect(await vm('i-0a0a0a0a').arp(address('i-0c0c0c0c'))).toBe('d0:0d:0c:0c:0c:0c')
  })

  it('says how a packet failed', async () => {
    await vm('i-0b0b0b0b').close(81)
    const refused = { reached: false, why: 'refused' }
    expect(await vm('i-0a0a0a0a').tcp(address('i-0b0b0b0b'), 81)).toEqual(refused)
    expect(await vm('i-0a0a0a0a').udp(address('i-0b0b0b0b'), 81)).toEqual(refused)
    expect(await lab.outside.tcp(lab.plan.clc.address, 22)).toEqual({ reached: false, why: 'stranger' })
    expect(await vm('i-0a0a0a0a').arp('10.111.9.9')).toBeUndefined()

    const timeout = { reached: false, why: 'timeout' }
    expect(await vm('i-0a0a0a0a').tcp('10.111.9.9', 80, { timeout: 300 })).toEqual(timeout)
    expect(await vm('i-0a0a0a0a').udp('10.111.9.9', 80, { timeout: 300 })).toEqual(timeout)
    expect((await vm('i-0a0a0a0a').ping('10.111.9.9')).reached).toBe(false)
  })

  it('forges addresses, and stops doing so', async () => {
    await vm('i-0d0d0d0d').forgeAddress('10.111.9.7')
    expect(await vm('i-0d0d0d0d').tcp(address('i-0c0c0c0c'), 80)).toMatchObject({ source: '10.111.9.7' })
    await vm('i-0d0d0d0d').restore()
    expect(await vm('i-0d0d0d0d').tcp(address('i-0c0c0c0c'), 80)).toMatchObject({ source: '10.111.103.4' })

    await vm('i-0d0d0d0d').forgeMac('02:66:66:66:66:66')
    expect(await vm('i-0c0c0c0c').arp(address('i-0d0d0d0d'))).toBe('02:66:66:66:66:66')
    await vm('i-0d0d0d0d').restore()
    expect(await vm('i-0c0c0c0c').arp(address('i-0d0d0d0d'))).toBe('d0:0d:0d:0d:0d:0d')
  })

  it('filters and translates on the nodes: an elastic IP and the metadata service by hand', async () => {
    const rules = [
      'ip addr add 10.111.200.1/32 dev br0',
      'iptables -t nat -A PREROUTING -d 10.111.200.1 -j DNAT --to-destination 10.111.103.1',
      'iptables -t nat -A POSTROUTING -s 10.111.103.1 -o br0 ! -d 10.111.103.0/24 -j SNAT --to-source 10.111.200.1',
      'iptables -t nat -A PREROUTING -d 169.254.169.254 -p tcp --dport 80 -j DNAT --to-destination 10.111.5.10:8773',
      'iptables -A FORWARD -d 10.111.103.1 -p tcp --dport 23 -j DROP',
      'ebtables -t nat -A PREROUTING -i vn_i+ -p ARP --arp-ip-dst 10.111.0.1 -j arpreply --arpreply-mac 02:00:00:00:00:51',
    ]
    expect(await lab.outside.tcp('10.111.200.1', 22, { timeout: 300 })).toMatchObject({ reached: false })
    await lab.node('nc-01').run(rules.join(' && '))
    await vm('i-0a0a0a0a').run('ip neigh flush dev eth0')

    expect(await vm('i-0a0a0a0a').arp('10.111.0.1')).toBe('02:00:00:00:00:51')
    const answers = await lab.matrix([
      { from: 'outside', to: '10.111.200.1', what: 'tcp 22' },
      { from: 'outside', to: '10.111.200.1', what: 'tcp 23' },
      { from: 'outside', to: '10.111.200.1', what: 'icmp' },
      { from: 'i-0a0a0a0a', to: '192.0.2.7', what: 'udp 53' },
      { from: 'i-0a0a0a0a', to: '169.254.169.254', what: 'tcp 80' },
      { from: 'nc-02', to: '10.111.200.1', what: 'tcp 22' },
    ])
    expect(answers.map(({ reached, by, source, why }) => [reached, by ?? why, source])).toEqual([
      [true, 'i-0a0a0a0a', '192.0.2.7'],
      [false, 'timeout', undefined],
      [true, undefined, undefined],
      [true, 'outside', '10.111.200.1'],
      [true, 'clc-01', '10.111.200.1'],
      [true, 'i-0a0a0a0a', '10.111.5.52'],
    ])
  })

  it('holds a connection and notices that it was cut off', async () => {
    const held = await vm('i-0b0b0b0b').hold('192.0.2.7', 80)
    expect(held.reached).toBe(true)
    expect(await held.again()).toMatchObject({ reached: true, source: '10.111.103.2' })

    await lab.node('nc-02').run('iptables -I FORWARD -s 10.111.103.2 -j DROP')
    expect(await held.again({ timeout: 300 })).toEqual({ reached: false, why: 'timeout' })
    await held.close()
  })

  it('cuts a node off and mends it', async () => {
    await lab.node('nc-03').cut()
    expect((await ssh(lab, lab.node('nc-02').address, 'true')).code).toBe(0)
    expect((await lab.admin.ping(lab.node('nc-03').address)).reached).toBe(false)
    await lab.node('nc-03').mend()
    expect((await ssh(lab, lab.node('nc-03').address, 'true')).code).toBe(0)
  })

  it('publishes changed worlds, and instances keep their addresses', async () => {
    const world = lab.world()
    const others = Object.entries(world.instances).filter(([id]) => id !== 'i-0a0a0a0a')
    const rules = ['udp 1000-2000 from sg-cccccccc', 'icmp 8/0 from 192.0.2.7', '47 from 10.0.0.0/8']
    await lab.publish({ instances: Object.fromEntries(others), groups: { ...world.groups, 'sg-bbbbbbbb': rules } })
    const published = await lab.clc.run('cat /var/run/eucalyptus/global_network_info.xml')

    expect(published).not.toContain('i-0a0a0a0a')
    expect(published).toContain('<privateIp>10.111.103.3</privateIp>')
    expect(published).toContain('<protocol>17</protocol><fromPort>1000</fromPort><toPort>2000</toPort>')
    expect(published).toContain(
      '<icmpType>8</icmpType><icmpCode>0</icmpCode><groupId/><groupOwnerId/><cidr>192.0.2.7/32<',
    )
    expect(() => lab.view({ instances: {}, groups: { 'sg-aaaaaaaa': ['tcp 22'] } })).toThrow('not a rule: tcp 22')
    await lab.publish(world)
  })
})

describe.skipIf(missing.length > 0)('a lab on two networks with two clusters', () => {
  let lab: Lab

  beforeAll(async () => {
    lab = await startLab({ nodes: 2, networks: 'two', clusters: 2, options: { NC_PROXY: 'Y' } })
    await Promise.all(lab.nodes.map((node) => startDhcpd(lab, node)))
  })
  afterAll(() => lab?.stop())

  it('keeps the private networks apart and the router between them', async () => {
    const [one, two] = [await lab.boot('i-0a0a0a0a'), await lab.boot('i-0b0b0b0b')]
    const seen = { reached: true, source: '172.16.0.101', by: 'i-0b0b0b0b' }

    expect(await one.tcp(lab.instance('i-0b0b0b0b').address, 22)).toEqual(seen)
    expect(await one.tcp('192.0.2.7', 22)).toMatchObject({ reached: true, source: '172.16.0.101' })
    expect(await lab.node('nc-01').arp('172.17.5.52')).toBeUndefined()
    expect(two.node).toBe('nc-02')
    const conf = (await ssh(lab, '10.111.5.52', 'cat /etc/eucalyptus/eucalyptus.conf')).stdout
    expect(conf.split('\n')).toEqual(expect.arrayContaining(['VNET_PUBINTERFACE="em1"', 'NC_PROXY="Y"']))
    expect(await readFile(lab.files.inventory, 'utf8')).toContain('nc-02: { address: 10.111.5.52 }')
  })

  it('reaches the nodes of both clusters when they share one network', async () => {
    const shared = await startLab({ nodes: 3, clusters: 2 })
    const names = shared.nodes.map(async ({ address }) => [address, (await ssh(shared, address, 'hostname')).stdout])
    const expected = [
      ['10.111.5.51', 'nc-01\n'],
      ['10.111.5.52', 'nc-02\n'],
      ['10.112.5.53', 'nc-03\n'],
    ]
    expect(await Promise.all(names)).toEqual(expected)
    await shared.stop()
  })

  it('reboots a node: the disk stays, all else goes', async () => {
    const node = lab.node('nc-02')
    const before = await node.run('cat /proc/sys/kernel/random/boot_id')
    await node.run('mkdir /var/lib/edgepush && ln -s gen /var/lib/edgepush/current && touch /run/mark')
    await node.run('ipset create mark hash:net && iptables -A FORWARD -m set --match-set mark dst -j DROP')
    await node.reboot()

    expect(await node.run('readlink /var/lib/edgepush/current')).toBe('gen\n')
    expect((await ssh(lab, node.address, 'ls /run/mark; ipset list -n; iptables -S FORWARD')).stdout).toBe(
      '-P FORWARD ACCEPT\n',
    )
    expect(await node.run('cat /proc/sys/kernel/random/boot_id')).not.toBe(before)
    expect(before).not.toBe(await readFile('/proc/sys/kernel/random/boot_id', 'utf8'))
    expect([...lab.machines.values()].map((machine) => machine.node)).not.toContain('nc-02')
    await startDhcpd(lab, node)
    expect((await (await lab.boot('i-0b0b0b0b')).ping('192.0.2.7')).reached).toBe(true)
  })

  it('runs beside another lab with the same addresses', async () => {
    const other = await startLab({ nodes: 1 })
    await other.node('nc-01').run('touch /var/lib/other')

    expect((await ssh(other, '10.111.5.51', 'ls /var/lib/other')).code).toBe(0)
    expect((await ssh(lab, '10.111.5.51', 'ls /var/lib/other')).code).not.toBe(0)
    expect((await ssh(other, '10.111.5.52', 'true')).code).not.toBe(0)
    await other.stop()
    expect((await ssh(lab, '10.111.5.51', 'true')).code).toBe(0)
  })
})

describe.skipIf(missing.length > 0)('the end of a lab', () => {
  it('leaves nothing when it is stopped', async () => {
    const before = await outsideWorld()
    const lab = await startLab({ nodes: 1 })
    const machine = await lab.boot('i-0a0a0a0a', { dhcp: false })
    const namespaces = [lab.node('nc-01'), machine].map(({ pid }) => readlinkSync(`/proc/${pid}/ns/net`))
    await lab.node('nc-01').run('setsid sleep 600 </dev/null >/dev/null 2>&1 &')

    expect(await outsideWorld()).toBe(before)
    await lab.stop()
    expect(namespaces.flatMap(processesIn)).toEqual([])
    await expect(access(lab.files.directory)).rejects.toThrow()
    expect(await outsideWorld()).toBe(before)
  })

  it('leaves nothing when its process is killed', async () => {
    const built = await mkdtemp(join(root, 'node_modules', '.lab-test-'))
    const tsc = join(root, 'node_modules', '.bin', 'tsc')
    await promisify(execFile)(tsc, ['-p', join(root, 'lab', 'tsconfig.json'), '--outDir', built])
    const program = `
      import { startLab } from '${join(built, 'start-lab.js')}'
      const lab = await startLab({ nodes: 1 })
      const vm = await lab.boot('i-0a0a0a0a', { dhcp: false })
      await lab.node('nc-01').run('setsid sleep 600 </dev/null >/dev/null 2>&1 &')
      console.log(JSON.stringify([lab.files.directory, lab.node('nc-01').pid, lab.outside.pid, vm.pid]))
      await lab.node('nc-01').run('sleep 600')
    `
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(createInterface({ input: child.stdout }), 'line')
    const [directory, ...pids] = JSON.parse(line) as [string, ...number[]]
    const namespaces = pids.map((pid) => readlinkSync(`/proc/${pid}/ns/net`))
    expect(namespaces.flatMap(processesIn).length).toBeGreaterThan(pids.length)

    child.kill('SIGKILL')
    await vi.waitFor(() => expect(namespaces.flatMap(processesIn)).toEqual([]), { timeout: 5_000 })
    await vi.waitFor(() => expect(access(directory)).rejects.toThrow(), { timeout: 5_000 })
    await rm(built, { recursive: true })
  })
})

it.runIf(missing.length > 0)('cannot run here', () => {
  console.warn(`the lab's tests were skipped: ${missing.join('; ')}`)
})
