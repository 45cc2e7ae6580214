// Who reached whom: a row for every source, a column for every group, in a cell the services that were answered.

import type { Lab } from '../make-lab.ts'
import { type Answer, type Service, services } from './ask-everybody.ts'
import type { Screen } from './screen.ts'

type Paint = Screen['paint']

const labels: Readonly<Record<Service, string>> = {
  'tcp 22': '22',
  'tcp 80': '80',
  'tcp 3306': '3306',
  'udp 53': '53',
  icmp: 'ping',
}
const gap = '   '
const cellWidth = Object.values(labels).join(' ').length

interface Column {
  readonly title: string
  readonly ids: readonly string[]
}

export function reachTable(lab: Lab, answers: readonly Answer[], paint: Paint): string {
  const columns = columnsOf(lab)
  const widths = columns.map(({ title, ids }) => Math.max(cellWidth, title.length, ids.join(' ').length))
  const sources = [...new Set(answers.map(({ from }) => from))]
  const places = sources.map((from) => [
    from,
    from === 'outside' ? lab.plan.outside.address : lab.instance(from).node.name,
  ])
  const left = Math.max(...places.map(([from, place]) => `${from} ${place}`.length))

  const head = [
    ['', ...columns.map(({ title }) => title)],
    ['from \\ to', ...columns.map(({ ids }) => ids.join(' '))],
  ].map((row) =>
    paint.strong(line(row.map((text, index) => [text, text.length, index === 0 ? left : widths[index - 1]]))),
  )
  const rows = places.map(([from = '', place = '']) => {
    const cells = columns.map(({ ids }) =>
      cell(
        answers.filter((one) => one.from === from && ids.includes(one.to)),
        paint,
      ),
    )
    const first = [`${from} ${paint.faint(place)}`, from.length + 1 + place.length, left] as const
    return line([first, ...cells.map((text, index) => [text, cellWidth, widths[index]] as const)])
  })
  return [...head, ...rows].join('\n')
}

/** Instances of the same groups: whoever may ask one of them may ask them all. */
function columnsOf(lab: Lab): readonly Column[] {
  const columns = new Map<string, string[]>()
  for (const [id, { groups }] of Object.entries(lab.world().instances)) {
    const title = groups.join(' ')
    columns.set(title, [...(columns.get(title) ?? []), id])
  }
  return [...columns].map(([title, ids]) => ({ title, ids }))
}

/** One sign for each service: its name, silence, or that an instance of the group behaved as it should not. */
function cell(answers: readonly Answer[], paint: Paint): string {
  if (answers.length === 0) return paint.faint('itself'.padEnd(cellWidth))
  const signs = services.map((what) => {
    const label = labels[what]
    const asked = answers.filter((answer) => answer.what === what)
    if (asked.some(({ right }) => !right)) return paint.bad('!'.repeat(label.length))
    return asked.some(({ reached }) => reached) ? paint.good(label) : paint.faint('·'.repeat(label.length))
  })
  return signs.join(' ')
}

/** Texts with their visible lengths and the widths of their columns. */
function line(cells: readonly (readonly [text: string, length: number, width: number | undefined])[]): string {
  return cells
    .map(([text, length, width = 0]) => text + ' '.repeat(width - length))
    .join(gap)
    .trimEnd()
}
