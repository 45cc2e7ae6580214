// Every instance and the outside host ask every instance on every service, all at once.

import type { Lab } from '../make-lab.ts'
import { isAllowed, type Sender } from './policy.ts'

export const services = ['tcp 22', 'tcp 80', 'tcp 3306', 'udp 53', 'icmp'] as const
export type Service = (typeof services)[number]

export interface Answer {
  readonly from: string
  /** The instance that was asked. */
  readonly to: string
  readonly what: Service
  readonly allowed: boolean
  /** Somebody answered. */
  readonly reached: boolean
  /** It is as the groups say; an answer must also come from `to`, which must have seen the right source. */
  readonly right: boolean
}

/** Silence must last this long; an answer may take longer, for a busy machine is not a packet filter. */
const silence = 1_000
const patience = 5_000

export async function askEverybody(lab: Lab): Promise<readonly Answer[]> {
  const world = lab.world()
  const ids = Object.keys(world.instances)
  const senders: Readonly<Record<string, Sender>> = {
    outside: { address: lab.plan.outside.address, groups: [] },
    ...Object.fromEntries(ids.map((id) => [id, lab.instance(id)])),
  }
  const questions = Object.entries(senders).flatMap(([from, sender]) =>
    ids
      .filter((id) => id !== from)
      .flatMap((to) => {
        const { address, publicAddress, groups } = lab.instance(to)
        const target = from === 'outside' ? (publicAddress ?? address) : address
        return services.map((what) => ({
          from,
          to,
          what,
          target,
          source: sender.address,
          allowed: isAllowed(world, what, sender, groups),
        }))
      }),
  )

  const answers = await lab.matrix(
    questions.map(({ from, target, what, allowed }) => {
      return { from, to: target, what, options: { timeout: allowed ? patience : silence } }
    }),
  )
  return questions.map(({ from, to, what, source, allowed }, index) => {
    const { reached = false, by, source: seen } = answers[index] ?? {}
    const genuine = what === 'icmp' || (by === to && seen === source)
    return { from, to, what, allowed, reached, right: reached === allowed && (!reached || genuine) }
  })
}
