// The demo of a cloud that publishes no view: its files, two pushes by them, and leases that are what they say.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Machine } from '../boot-machine.ts'
import { type CloudFiles, configuredCloud, plugIn } from '../configured-cloud.ts'
import type { Lab } from '../make-lab.ts'
import type { Lease } from '../request-lease.ts'
import type { Screen } from './screen.ts'

export type ConfiguredMode = 'STATIC' | 'SYSTEM'

const INSTANCES = ['i-3f8a07b1', 'i-3f8a07b2'] as const
const PAIRS = ['02:aa:00:00:00:20', '02:aa:00:00:00:21'] as const
const ADDRESSES = ['10.111.103.20', '10.111.103.21'] as const

const HOSTS: CloudFiles['hosts'] = {
  'nc-02': { role: 'nc', options: { VNET_BRIDGE: 'br0' } },
  'nc-03': { role: 'nc', options: { VNET_BRIDGE: 'br0' } },
}
const LIST = `instances:\n${INSTANCES.map((id, index) => `  ${id}: { node: 10.111.5.5${index + 2} }\n`).join('')}`

/** The controller has the DHCP server, or nobody has one but the site. */
const CLOUDS: Readonly<Record<ConfiguredMode, CloudFiles>> = {
  STATIC: {
    conf: {
      VNET_MODE: 'STATIC',
      VNET_SUBNET: '10.111.0.0',
      VNET_NETMASK: '255.255.0.0',
      VNET_BROADCAST: '10.111.255.255',
      VNET_ROUTER: '10.111.0.1',
      VNET_DNS: '10.111.5.10',
      VNET_MACMAP: PAIRS.map((mac, index) => `${mac}=${ADDRESSES[index]}`).join(' '),
    },
    list: LIST,
    hosts: { 'nc-01': { role: 'cc', options: { VNET_PRIVINTERFACE: 'br0' } }, ...HOSTS },
  },
  SYSTEM: { conf: { VNET_MODE: 'SYSTEM' }, list: LIST, hosts: HOSTS },
}

export async function showConfigured(lab: Lab, mode: ConfiguredMode, screen: Screen): Promise<boolean> {
  const { print, busy, paint } = screen
  const name = mode.toLowerCase()
  const cloud = CLOUDS[mode]
  const { folder } = await configuredCloud(lab, name, cloud)
  print(`A cloud that publishes no view, in namespaces of this machine. In ${folder}:\n`)
  const conf = Object.entries(cloud.conf).map(([key, value]) => `  ${key}="${value}"`)
  print(
    paint.faint(
      [
        ...conf,
        ...cloud.list
          .trimEnd()
          .split('\n')
          .map((line) => `  ${line}`),
      ].join('\n'),
    ),
  )
  if (mode === 'SYSTEM') await startSiteServer(lab, folder)

  const converged = await push(lab, name, screen)
  busy('booting machines')
  const macs = mode === 'STATIC' ? PAIRS : INSTANCES.map((id) => `d0:0d:${id.slice(2).replace(/(..)(?=.)/g, '$1:')}`)
  const machines = await Promise.all(
    INSTANCES.map((id, index) => plugIn(lab, id, macs[index] ?? '', `nc-0${index + 2}`)),
  )
  try {
    const leases = await Promise.all(machines.map((machine) => machine.dhcp()))
    print(`\n${leases.map((lease, index) => leaseLine(INSTANCES[index] ?? '', lease)).join('\n')}`)
    const wanted = mode === 'STATIC' ? leases.every((lease, index) => lease?.address === ADDRESSES[index]) : true
    const reached = await reachEachOther(machines, leases)
    print(
      `${reached ? paint.good('each other') : paint.bad('nobody')} is reached by both: this mode keeps nobody apart\n`,
    )
    const unchanged = await push(lab, name, screen)
    const isRight = converged && unchanged && wanted && reached && leases.every((lease) => lease !== undefined)
    print(
      `\n${isRight ? paint.good('Everything is as it should be.') : paint.bad('Not everything is as it should be.')}`,
    )
    return isRight
  } finally {
    await Promise.all(machines.map((machine) => machine.stop()))
  }
}

async function push(lab: Lab, name: string, { print, live, paint }: Screen): Promise<boolean> {
  print(paint.strong(`\n$ edgepush push ${name}/push.yml`))
  const { code, stdout, stderr } = await lab.edgepush(['push', `${name}/push.yml`], { show: live, timeout: 120_000 })
  print(stdout.trimEnd())
  if (code !== 0) print(paint.bad(`exit status ${code}\n${stderr}`))
  return code === 0
}

/** Somebody else's, as a site has it. */
async function startSiteServer(lab: Lab, folder: string): Promise<void> {
  const site = join(folder, 'site')
  await mkdir(site)
  const range = 'range 10.111.104.100 10.111.104.150; option routers 10.111.0.1;'
  await writeFile(join(site, 'dhcpd.conf'), `subnet 10.111.0.0 netmask 255.255.0.0 { ${range} }\n`)
  await writeFile(join(site, 'leases'), '')
  const files = ['-cf', join(site, 'dhcpd.conf'), '-lf', join(site, 'leases'), '-pf', join(site, 'pid')]
  await lab.router.run(['dhcpd', '-4', '-q', ...files, 'pub'])
}

function leaseLine(id: string, lease: Lease | undefined): string {
  return lease ? `${id}  has ${lease.address}/${lease.prefix} from ${lease.server}` : `${id}  got no lease`
}

async function reachEachOther(machines: readonly Machine[], leases: readonly (Lease | undefined)[]): Promise<boolean> {
  const [one, other] = leases.map((lease) => lease?.address ?? '')
  const answers = await Promise.all([machines[0]?.tcp(other ?? '', 22), machines[1]?.tcp(one ?? '', 22)])
  return answers.every((answer) => answer?.reached)
}
