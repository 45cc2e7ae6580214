// Packets as a table, sent for real:
//
//   a        eip-d     tcp 22     d sees eip-a
//   outside  eip-a     tcp 23     dropped
//
// Columns are two blanks apart: from, to, what, and what comes of it. `a` is the instance i-0a0a0a0a, `eip-a` its elastic
// IP, `metadata` the metadata address; the others are the lab's names or addresses. Of an echo only the answer is known:
// `answered`.

import { isIPv4 } from 'node:net'
import { expect } from 'vitest'
import type { Machine } from '../../lab/boot-machine.ts'
import type { Lab } from '../../lab/make-lab.ts'
import type { Reach } from '../../lab/start-agent.ts'

const metadata = '169.254.169.254'

/** All of them at once; fails with a diff of the table. What has no answer for so long counts as dropped. */
export async function expectPackets(lab: Lab, table: string, timeout = 700): Promise<void> {
  const rows = rowsOf(table)
  const answers = await lab.matrix(
    rows.map(([from, to, what]) => ({ from: stationOf(from), to: addressOf(lab, to), what, options: { timeout } })),
  )
  const seen = rows.map(([from, to, what], index) => [from, to, what, told(lab, answers[index])])
  expect(seen.map(asLine)).toEqual(rows.map(asLine))
}

/** `a` for i-0a0a0a0a. */
export function idOf(letter: string): string {
  return `i-${`0${letter}`.repeat(4)}`
}

export function machineOf(lab: Lab, letter: string): Machine {
  const machine = lab.machines.get(idOf(letter))
  if (!machine) throw new Error(`${letter} is not running`)
  return machine
}

type Row = readonly [from: string, to: string, what: string, result: string]

function rowsOf(table: string): readonly Row[] {
  const lines = table.split('\n').map((line) => line.trim())
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [from, to, what, result, ...rest] = line.split(/ {2,}/)
      if (!from || !to || !what || !result || rest.length > 0) throw new Error(`not a row: ${line}`)
      return [from, to, what, result]
    })
}

function stationOf(name: string): string {
  return name.length === 1 ? idOf(name) : name
}

function addressOf(lab: Lab, name: string): string {
  if (isIPv4(name)) return name
  const found = namesOf(lab).find(([known]) => known === name)
  if (!found) throw new Error(`nobody is called ${name}`)
  return found[1]
}

function nameOf(lab: Lab, address: string): string {
  return namesOf(lab).find(([, known]) => known === address)?.[0] ?? address
}

function namesOf(lab: Lab): readonly (readonly [name: string, address: string])[] {
  const instances = Object.keys(lab.world().instances).map(lab.instance)
  return [
    ['metadata', metadata],
    ['outside', lab.plan.outside.address],
    ['clc-01', lab.plan.clc.address],
    ['admin', lab.plan.admin.address],
    ...[...lab.nodes, ...lab.plan.controllers].map(({ name, address }) => [name, address] as const),
    ...instances.map(({ id, address }) => [id.slice(-1), address] as const),
    ...instances.flatMap(({ id, publicAddress }) =>
      publicAddress ? [[`eip-${id.slice(-1)}`, publicAddress] as const] : [],
    ),
  ]
}

function told(lab: Lab, answer: Reach | undefined): string {
  if (!answer?.reached) return answer?.why === 'timeout' ? 'dropped' : (answer?.why ?? 'not sent')
  if (!answer.by) return 'answered'
  return `${answer.by.startsWith('i-') ? answer.by.slice(-1) : answer.by} sees ${nameOf(lab, answer.source ?? '')}`
}

function asLine([from, to, what, result]: readonly (string | undefined)[]): string {
  return `${from?.padEnd(8)} ${to?.padEnd(9)} ${what?.padEnd(9)} ${result}`
}
