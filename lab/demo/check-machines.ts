// What a table of who reaches whom cannot show: leases, translation of addresses, the metadata service, forgery.

import type { Machine } from '../boot-machine.ts'
import type { Lab } from '../make-lab.ts'
import { isAllowed } from './policy.ts'

export interface Finding {
  readonly name: string
  readonly what: string
  /** How many machines behaved like that, of how many. */
  readonly right: number
  readonly of: number
}

const metadata = '169.254.169.254'
const silence = 1_000
const patience = 5_000

export async function bootMachines(lab: Lab): Promise<Finding> {
  const ids = Object.keys(lab.world().instances)
  const from = lab.plan.mode === 'EDGE' ? 'the node' : 'the cluster controller'
  const what = `a lease from ${from}, with the address that the view gives the machine`
  return await count('DHCP', what, ids, async (id) => {
    const machine = await lab.boot(id, { dhcp: false })
    const lease = await machine.dhcp()
    const { address, node } = lab.instance(id)
    if (lab.plan.mode !== 'EDGE') return lease?.address === address
    return lease?.address === address && lease.server === node.bridgeAddresses[0]?.split('/')[0]
  })
}

export async function checkAddresses(lab: Lab): Promise<readonly Finding[]> {
  const machines = [...lab.machines.values()]
  const elastic = machines.filter(({ id }) => lab.instance(id).publicAddress)
  const world = lab.world()
  const outside = { address: lab.plan.outside.address, groups: [] }
  const open = elastic.filter(({ id }) => isAllowed(world, 'tcp 22', outside, lab.instance(id).groups))

  return await Promise.all([
    count(
      'elastic IP, in',
      `outside asks it on port 22: its machine answers, and sees ${outside.address}`,
      open,
      async ({ id }) => {
        const { by, source } = await lab.outside.tcp(lab.instance(id).publicAddress ?? '', 22, { timeout: patience })
        return by === id && source === outside.address
      },
    ),
    count('elastic IP, out', 'outside sees the elastic IP, not the private address', elastic, async ({ id, tcp }) => {
      const { source } = await tcp(outside.address, 80, { timeout: patience })
      return source === lab.instance(id).publicAddress
    }),
    count('metadata', `${metadata}:80 is answered by the cloud controller`, machines, async ({ tcp }) => {
      return (await tcp(metadata, 80, { timeout: patience })).by === lab.clc.name
    }),
  ])
}

/**
 * Each machine lies about itself, and asks again under its own name: silence alone could be a broken machine. The
 * questions are such that a network without filters would answer the liar; so each tells a lie of its own.
 */
export async function checkForgery(lab: Lab): Promise<readonly Finding[]> {
  const machines = [...lab.machines.values()]
  const numbered = [...machines.entries()]
  const mac = await count(
    'forged MAC',
    'no answer under a MAC of its own choice, one under the right MAC',
    numbered,
    (one) => {
      const [index, machine] = one
      const neighbour = lab.instance(machines.at(index - 1)?.id ?? '').address
      const ask = async (timeout: number) => (await machine.arp(neighbour, { timeout })) !== undefined
      return isMuted(machine, () => machine.forgeMac(machine.mac.replace(/^d0:0d/, '02:66')), ask)
    },
  )
  const address = await count(
    'forged IP',
    'no answer under an IP of its own choice, one under the right IP',
    numbered,
    (one) => {
      const [index, machine] = one
      const ask = async (timeout: number) => (await machine.tcp(lab.plan.outside.address, 80, { timeout })).reached
      return isMuted(machine, () => machine.forgeAddress(`10.111.9.${index + 1}`), ask)
    },
  )
  return [mac, address]
}

async function isMuted(
  machine: Machine,
  forge: () => Promise<void>,
  ask: (timeout: number) => Promise<boolean>,
): Promise<boolean> {
  await forge()
  const liarIsHeard = await ask(silence)
  await machine.restore()
  return !liarIsHeard && (await ask(patience))
}

async function count<T>(
  name: string,
  what: string,
  subjects: readonly T[],
  isRight: (subject: T) => Promise<boolean>,
): Promise<Finding> {
  const answers = await Promise.all(subjects.map(isRight))
  return { name, what, right: answers.filter((answer) => answer).length, of: subjects.length }
}
