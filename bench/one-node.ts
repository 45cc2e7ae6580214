// npm run bench: what it costs to keep one node of a large cloud up to date, against the floor (the same files, one call
// per tool) and the peer (the way eucanetd loads them). Asserts nothing about time; ends with 1 if anything fails.

import { appendFile, readFile } from 'node:fs/promises'
import { labMissing } from '../lab/lab-missing.ts'
import type { Lab } from '../lab/make-lab.ts'
import { startLab } from '../lab/start-lab.ts'
import { viewFile } from '../lab/write-files.ts'
import { CHANGES, CLOUD, PLAN, SIZE, viewOf } from './large-cloud.ts'
import { addOneByOne, loadPlain, loadRuleByRule, sizesOf } from './measure-plain.ts'
import { type Measured, measurePush } from './measure-push.ts'
import { middle, printTable, seconds } from './print-table.ts'

const ROUNDS = 3
const ANNOUNCED = 3
const FIRST = 'first push'
const UNCHANGED = 'nothing changed'

const missing = labMissing()
if (missing.length > 0) {
  process.stderr.write(`This machine cannot run it:\n  ${missing.join('\n  ')}\n`)
  process.exit(1)
}

const pushes = new Map<string, Measured[]>()
const floors: Readonly<Record<string, number>>[] = []

for (let round = 1; round <= ROUNDS; round += 1) {
  const lab = await startLab({ nodes: 1, world: { instances: {}, groups: {} } })
  try {
    await measureRound(lab)
    if (round === ROUNDS) await report(lab)
  } finally {
    await lab.stop()
  }
}

async function measureRound(lab: Lab): Promise<void> {
  const node = lab.node('nc-01')
  const others = PLAN.nodes.slice(1).map(({ name, address }) => `  ${name}: { address: ${address} }\n`)
  await appendFile(lab.files.inventory, others.join(''))

  let world = CLOUD
  for (const { name, apply } of [{ name: FIRST, apply: () => CLOUD }, ...CHANGES]) {
    world = apply(world)
    await lab.clc.run(`cat > ${viewFile}`, { stdin: viewOf(world) })
    const measured = await measurePush(lab, node, ['push.yml'])
    const expected = name === UNCHANGED ? 'unchanged' : 'converged'
    if (measured.status !== expected) throw new Error(`${name}: ${measured.status}, not ${expected}`)
    pushes.set(name, [...(pushes.get(name) ?? []), measured])
  }
  floors.push(await loadPlain(node))
}

async function report(lab: Lab): Promise<void> {
  const node = lab.node('nc-01')
  const cpu = /model name\s*: (.*)/.exec(await readFile('/proc/cpuinfo', 'utf8'))?.[1]
  const load = (await readFile('/proc/loadavg', 'utf8')).split(' ').slice(0, 2).join(' ')
  process.stdout.write(
    `${SIZE.instances} instances, ${SIZE.local} on the node, ${SIZE.groups} groups of ${SIZE.rules} rules; Node.js ${process.version}, ${cpu}, load ${load}\n` +
      `on the node: ${await sizesOf(node)}\nmedians of ${ROUNDS} rounds, each in a lab of its own; times in seconds\n`,
  )
  printPushes()
  const rules = await loadRuleByRule(node)
  const elastic = await addOneByOne(node, ANNOUNCED)
  printComparison(rules, elastic)
  printProcesses()
}

function printPushes(): void {
  const phases = [...new Set([...pushes.values()].flatMap((all) => all.flatMap((one) => Object.keys(one.phases))))]
  const rows = [...pushes].map(([name, all]) => [
    name,
    ...phases.map((phase) => cell(all, ({ phases: { [phase]: time } }) => time)),
    cell(all, (one) => one.node),
    cell(all, (one) => one.command),
    String(middle(all.map((one) => one.processes))),
    (middle(all.map((one) => one.sent)) / 1024).toFixed(0),
    (middle(all.map((one) => one.received)) / 1024).toFixed(0),
  ])
  printTable(['', ...phases, 'node', 'command', 'processes', 'KiB to it', 'KiB from it'], rows)
}

function cell(all: readonly Measured[], value: (one: Measured) => number | undefined): string {
  const values = all.flatMap((one) => value(one) ?? [])
  return values.length === 0 ? '' : seconds(middle(values))
}

function printComparison(
  rules: { readonly time: number; readonly commands: number },
  elastic: readonly number[],
): void {
  const plain = (tool: string) => middle(floors.map((floor) => floor[tool] ?? Number.NaN))
  const floor = plain('ipset') + plain('iptables') + plain('ebtables')
  const announcing = (elastic.reduce((sum, time) => sum + time, 0) / elastic.length) * SIZE.elastic
  const peer = plain('ipset') + plain('iptables') + rules.time + announcing
  const row = (name: string, time: number) => [
    name,
    seconds(time),
    `${(time / floor).toFixed(1)}`,
    // It looks at its files when nothing has changed, and does nothing else.
    name.endsWith(UNCHANGED) ? '' : `${(peer / time).toFixed(1)}`,
  ]
  const ours = [...pushes].map(([name, all]) => row(`edgepush: ${name}`, middle(all.map((one) => one.node))))
  printTable(
    ['the whole update of the node, rendering apart', 's', 'times the floor', 'times faster than the peer'],
    [row('floor: ipset, iptables, ebtables, one restore each', floor), ...ours, row('peer: any change', peer)],
  )
  process.stdout.write(
    `\nfloor: ipset ${seconds(plain('ipset'))} + iptables ${seconds(plain('iptables'))} + ebtables ${seconds(plain('ebtables'))}\n` +
      `peer: the floor's ipset and iptables + ${rules.commands} ebtables processes, all run: ${seconds(rules.time)} + ` +
      `${SIZE.elastic} elastic IPs, address and arping one by one: ${seconds(announcing)}, ` +
      `extrapolated from ${elastic.length} measured (${elastic.map(seconds).join(', ')})\n`,
  )
}

/** How many commands eucanetd starts for any change, read off its sources and its command log. */
function printProcesses(): void {
  const ebtables = 21 * SIZE.local + 20
  const rest = 8 + 3 + 2 + 2 + 3 + 2
  const least = ebtables + rest + SIZE.elastic + SIZE.elastic
  const most = ebtables + rest + SIZE.elastic + 3 * SIZE.elastic
  const ours = [...pushes].map(([name, all]) => `${middle(all.map((one) => one.processes))} (${name})`)
  process.stdout.write(
    `processes: edgepush ${ours.join(', ')}, counted by the kernel, every subshell and sshd's own among them;\n` +
      `  eucanetd for any change ${least} to ${most} commands, counted by formula: iptables-save 8, iptables-restore 3, ipset 7,\n` +
      `  ebtables 21 x ${SIZE.local} + 20, ip ${SIZE.elastic}, arping ${SIZE.elastic} to ${3 * SIZE.elastic}, systemctl 2, each by way of a root wrapper\n`,
  )
}
