// Everybody asks everybody, at each address, on the ports where the rules of the one who is asked begin and end.

import type { Lab } from '../../lab/make-lab.ts'
import type { PlacedInstance } from '../../lab/render-view.ts'
import type { Reach } from '../../lab/start-agent.ts'
import { type Answer, type Cloud, type Flow, foretell, instancesOf, metadata } from './oracle.ts'

/** How many packets are under way at once: with more a machine is so busy that an answer may come too late. */
const atOnce = 600

/** Silence must last this long; an answer may take longer. */
const silence = 1_000
const longest = 6_000

export interface Matrix {
  readonly asked: number
  readonly answered: number
  /** What was not as the oracle says. */
  readonly wrong: readonly string[]
}

/**
 * Boots every instance of the cloud. In a cloud nobody has the gateway's address but the node that answers for it; the
 * lab's router does have it, and a machine that has heard from it would go through it.
 */
export async function bootAll(lab: Lab): Promise<void> {
  const boots = instancesOf(lab).map(async ({ id, node }) => {
    const machine = await lab.boot(id)
    const gateway = lab.plan.clusters[node.cluster]?.gateway
    await machine.run(`ip neigh replace ${gateway} lladdr ${node.bridgeMac} nud permanent dev eth0`)
  })
  await Promise.all(boots)
}

export async function askAll(lab: Lab, flows: readonly Flow[], { patience = longest } = {}): Promise<Matrix> {
  const wrong: string[] = []
  let answered = 0
  for (let first = 0; first < flows.length; first += atOnce) {
    const some = flows.slice(first, first + atOnce).map((flow) => ({ ...flow, expected: foretell(lab, flow) }))
    const answers = await lab.matrix(
      some.map(({ expected, ...flow }) => ({ ...flow, options: { timeout: expected ? patience : silence } })),
    )
    for (const [index, { expected, ...flow }] of some.entries()) {
      const answer = answers[index]
      if (answer?.reached) answered += 1
      const [said, was] = [asForetold(flow, expected), asSeen(answer)]
      if (said !== was) wrong.push(`${flow.from} to ${flow.to} ${flow.what}: ${was}, not ${said}`)
    }
  }
  return { asked: flows.length, answered, wrong }
}

export function flowsOf(cloud: Cloud): readonly Flow[] {
  const instances = instancesOf(cloud)
  const hosts = [cloud.plan.outside, cloud.plan.clc, ...cloud.plan.nodes].map(({ name }) => name)
  const senders = [...instances.map(({ id }) => id), ...hosts]
  const inward = instances.flatMap((target) => {
    const questions = questionsTo(cloud, target)
    const addresses = target.publicAddress ? [target.address, target.publicAddress] : [target.address]
    return addresses.flatMap((to) => {
      const others = senders.filter((from) => from !== target.id || to !== target.address)
      return others.flatMap((from) => questions.map((what) => ({ from, to, what })))
    })
  })
  return [...inward, ...instances.flatMap((instance) => outwardFlows(cloud, instance))]
}

function outwardFlows({ plan }: Cloud, { id: from }: PlacedInstance): readonly Flow[] {
  return [
    ...['tcp 443', 'udp 53', 'icmp'].map((what) => ({ from, to: plan.outside.address, what })),
    ...['tcp 80', 'tcp 81'].map((what) => ({ from, to: metadata, what })),
    { from, to: plan.clc.address, what: 'tcp 8773' },
  ]
}

/** The last port that a rule does not let in, the first and last that it does, the next; and what no rule names. */
function questionsTo(cloud: Cloud, { groups }: PlacedInstance): readonly string[] {
  const rules = groups.flatMap((group) => cloud.world().groups[group] ?? [])
  const asked = rules.flatMap((rule) => {
    const [, protocol = '', first = '1', last = first] = /^(tcp|udp)(?: (\d+))?(?:-(\d+))? /.exec(rule) ?? []
    if (protocol === '') return []
    const ports = [Number(first) - 1, Number(first), Number(last), Number(last) + 1]
    const other = protocol === 'tcp' ? 'udp' : 'tcp'
    return [...ports.map((port) => `${protocol} ${port}`), `${other} ${first}`]
  })
  return [...new Set([...asked, 'tcp 9', 'udp 9', 'icmp'])].filter(canBeAsked)
}

/** Machines of the lab leave the ports of DHCP to their own client. */
function canBeAsked(what: string): boolean {
  const port = Number(what.split(' ')[1] ?? '1')
  return port > 0 && port < 65_536 && what !== 'udp 67' && what !== 'udp 68'
}

function asForetold({ what }: Flow, answer: Answer | undefined): string {
  if (!answer) return 'silence'
  return what === 'icmp' ? 'answered' : `${answer.by} saw ${answer.source}`
}

/** Of an echo only the answer is known. */
function asSeen(answer: Reach | undefined): string {
  if (!answer?.reached) return 'silence'
  return answer.by ? `${answer.by} saw ${answer.source}` : 'answered'
}
