/** A managed cloud that publishes no view: what is made of its configuration and a list is what its view would have been. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bootMachine, type Machine } from '../../lab/boot-machine.ts'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabMode } from '../../lab/plan-managed.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { all, mustPush, readPushed } from '../lab/push.ts'
import { describeLab } from '../lab/with-lab.ts'

const world: World = {
  instances: {
    'i-0a0a0a0a': { node: 'nc-01', groups: ['sg-11111111'], public: '10.111.200.7' },
    'i-0b0b0b0b': { node: 'nc-01', groups: ['sg-22222222'] },
    'i-0c0c0c0c': { node: 'nc-02', groups: ['sg-11111111'] },
  },
  groups: {
    'sg-11111111': ['tcp 22 from anywhere', 'icmp from anywhere'],
    'sg-22222222': ['tcp 80-90 from 10.111.0.0/16', 'tcp 3306 from sg-11111111'],
  },
}

const conf = (mode: LabMode) => `VNET_MODE="${mode}"
VNET_SUBNET="172.16.0.0"
VNET_NETMASK="255.255.0.0"
VNET_ADDRSPERNET="32"
VNET_DNS="10.111.5.10"
VNET_DOMAINNAME="eucalyptus.internal"
VNET_PUBLICIPS="10.111.200.1-10.111.200.250"
`

/** Nobody says an address. */
const LIST = `cloud_controller: 10.111.5.10
tags: { first: 512, last: 639 }
clusters:
  one: { controller: 10.111.5.21, nodes: [10.111.5.51, 10.111.5.52] }
groups:
  sg-11111111: { rules: ["-P tcp -p 22-22 -s 0.0.0.0/0", "-P icmp -t -1:-1 -s 0.0.0.0/0"] }
  sg-22222222: { rules: ["-P tcp -p 80-90 -s 10.111.0.0/16", "-P tcp -p 3306-3306 -o sg-11111111 -u 000111222333"] }
instances:
  i-0a0a0a0a: { node: 10.111.5.51, groups: [sg-11111111], public_address: 10.111.200.7 }
  i-0b0b0b0b: { node: 10.111.5.51, groups: [sg-22222222] }
  i-0c0c0c0c: { node: 10.111.5.52, groups: [sg-11111111] }
`
const ANOTHER = '  i-0d0d0d0d: { node: 10.111.5.52, groups: [sg-22222222] }\n'

describeLab.each(['MANAGED-NOVLAN', 'MANAGED'] as const)('%s without a view', (mode) => {
  let lab: Lab
  let machine: Machine | undefined
  const put = (file: string, text: string) => writeFile(join(lab.files.directory, file), text)
  const push = async () => {
    const { outcomes } = readPushed(await lab.edgepush(['push', 'configured.yml', '--json']))
    return Object.fromEntries(Object.entries(outcomes).map(([name, { status }]) => [name, status]))
  }

  beforeAll(async () => {
    lab = await startLab({ mode, nodes: 2, world })
    await put('eucalyptus.conf', conf(mode))
    await put('instances.yml', LIST)
    await put(
      'configured.yml',
      `name: configured
inventory: ./inventory.yml
source: { file: ./eucalyptus.conf, instances: ./instances.yml }
stages:
  - { name: all, targets: [all] }
`,
    )
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
  })
  afterAll(async () => {
    await machine?.stop()
    await lab?.stop()
  })

  it('its files mean on every host what its view means', async () => {
    expect(await push()).toEqual(all(lab, 'unchanged'))
    const { stdout } = await lab.edgepush(['show'])
    expect(stdout).toMatch(/^lab +group sg-22222222 +513 +172\.16\.63\.224\/27 /m)
    expect(stdout).toMatch(/^lab +instance i-0c0c0c0c +512 +172\.16\.63\.192\/27 +10 +172\.16\.63\.202 /m)
  })

  it('one more instance is given an address, and leases it', async () => {
    await put('instances.yml', LIST + ANOTHER)
    expect(Object.values(await push())).toContain('converged')
    const plan = { id: 'i-0d0d0d0d', mac: 'd0:0d:0d:0d:0d:0d', directory: lab.files.directory }
    const bridge = mode === 'MANAGED' ? 'sg-22222222' : 'br0'
    machine = await bootMachine({ ...plan, bridge, node: lab.node('nc-02') })
    expect(await machine.dhcp()).toMatchObject({ address: '172.16.63.234', router: '172.16.63.225', prefix: 27 })
    expect(await push()).toEqual(all(lab, 'unchanged'))
  })

  it('a group that is gone, and one that comes, under running leases', async () => {
    const others = LIST.replace(/^ {2}i-0[ac].*\n/gm, '') + ANOTHER
    await put('instances.yml', others)
    expect(Object.values(await push())).toContain('converged')
    await put('instances.yml', `${others}  i-0e0e0e0e: { node: 10.111.5.51, groups: [sg-11111111] }\n`)
    expect(Object.values(await push())).toContain('converged')
    expect(await machine?.dhcp()).toMatchObject({ address: '172.16.63.234' })
    const { stdout } = await lab.edgepush(['show'])
    expect(stdout).toMatch(/^lab +instance i-0e0e0e0e +512 +172\.16\.63\.192\/27 +9 +172\.16\.63\.201 /m)
    expect(stdout).not.toContain('i-0a0a0a0a')
  })
})
