// What the demo shows of a lab that is up, in the order in which it is shown.

import type { Lab } from '../make-lab.ts'
import { type Answer, askEverybody } from './ask-everybody.ts'
import { bootMachines, checkAddresses, checkForgery, type Finding } from './check-machines.ts'
import { reachTable } from './reach-table.ts'
import type { Screen } from './screen.ts'

/** true when everything is as it should be. `began` is when the lab was asked for, by performance.now(). */
export async function showLab(lab: Lab, screen: Screen, began: number): Promise<boolean> {
  const { print, busy, paint } = screen
  const controllers = lab.plan.controllers.length > 0 ? ', cluster controller' : ''
  const parts = `${lab.nodes.length} nodes${controllers}, cloud controller, router, outside host`
  print(`A cloud in namespaces of this machine: ${parts} ${paint.faint(`(${since(began)})`)}\n`)
  if (!(await push(lab, screen, 'converged'))) return false

  busy('booting machines')
  const leases = await bootMachines(lab)
  print(`\n${groups(lab, screen)}\n`)
  const asked = performance.now()
  busy('asking')
  const answers = await askEverybody(lab)
  print(reachTable(lab, answers, paint))
  print(`${sum(answers)} ${paint.faint(`(${since(asked)})`)}`)
  for (const wrong of answers.filter(({ right }) => !right)) print(paint.bad(complaint(wrong)))

  busy('checking addresses')
  const addresses = await checkAddresses(lab)
  busy('forging')
  // In the others nothing keeps an instance from lying about itself, unless its host is hardened.
  const forgery = lab.plan.mode === 'EDGE' ? await checkForgery(lab) : []
  const findings = [leases, ...addresses, ...forgery]
  print(`\n${findings.map((finding) => findingLine(finding, screen)).join('\n')}\n`)
  const unchanged = await push(lab, screen, 'unchanged')

  const isRight = unchanged && answers.every(({ right }) => right) && findings.every(isFulfilled)
  const verdict = isRight
    ? paint.good('Everything is as it should be.')
    : paint.bad('Not everything is as it should be.')
  print(`\n${verdict} ${paint.faint(`(${since(began)})`)}`)
  return isRight
}

/** The CLI speaks for itself; that each node came to `status` is read from the record. */
async function push(lab: Lab, { print, live, paint }: Screen, status: string): Promise<boolean> {
  print(paint.strong('$ edgepush push push.yml'))
  const { code, stdout, stderr } = await lab.edgepush(['push', 'push.yml'], { show: live, timeout: 120_000 })
  if (stdout !== '') print(stdout.trimEnd())
  if (code !== 0) print(paint.bad(`exit status ${code}\n${stderr}`))

  const record = await lab.edgepush(['status', 'push.yml', '--json'])
  const rows = record.stdout.split('\n').filter((line) => line.includes('"type":"status"'))
  const hosts = lab.nodes.length + lab.plan.controllers.length
  const isSo = code === 0 && rows.length === hosts && rows.every((row) => row.includes(`"status":"${status}"`))
  if (!isSo) print(paint.bad(`not every node is ${status}`))
  return isSo
}

function groups(lab: Lab, { paint }: Screen): string {
  const { groups, instances } = lab.world()
  const head = `${Object.keys(instances).length} machines. Their groups let in, besides members of the same group:`
  const lines = Object.entries(groups).map(([id, rules]) => `  ${id}  ${rules.join(', ') || 'nothing'}`)
  return [head, ...lines.map((line) => paint.faint(line))].join('\n')
}

function sum(answers: readonly Answer[]): string {
  const answered = answers.filter(({ reached }) => reached).length
  const right = answers.filter((answer) => answer.right).length
  const verdict = right === answers.length ? 'all as the groups say' : `${right} as the groups say`
  return `${answers.length} questions asked, ${answered} answered, ${answers.length - answered} met silence: ${verdict}`
}

function complaint({ from, to, what, allowed, reached }: Answer): string {
  const found = reached ? (allowed ? 'answered, but not by it or not to the right source' : 'answered') : 'silence'
  return `${from} -> ${to} ${what}: ${found}, while the groups say ${allowed ? 'yes' : 'no'}`
}

function findingLine(finding: Finding, { paint }: Screen): string {
  const { name, what, right, of } = finding
  const count = (isFulfilled(finding) ? paint.good : paint.bad)(`${right} of ${of}`)
  return `${name.padEnd(16)}${count}  ${what}`
}

function isFulfilled({ right, of }: Finding): boolean {
  return right === of && of > 0
}

function since(began: number): string {
  return `${((performance.now() - began) / 1_000).toFixed(1)} s`
}
