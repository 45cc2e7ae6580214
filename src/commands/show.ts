/** `edgepush show`: who was given which tag and address, where no view says so; from the record alone. */

import { EXIT, type ExitCode } from '../error.ts'
import { type Given, listAllocations } from '../record/allocation.ts'
import { table } from '../report/table.ts'
import { indexOf, segmentOf } from '../view/conf/give-segments.ts'
import { formatCidr, parseCidr, parseIpv4 } from '../view/ipv4.ts'
import type { Context } from './context.ts'

interface Row {
  readonly cloud: string
  readonly kind: 'group' | 'instance'
  readonly name: string
  readonly tag?: number | undefined
  readonly segment?: string | undefined
  readonly index?: number | undefined
  readonly address?: string
  readonly since: string
}

export function show({ json }: { readonly json: boolean }, { stateFolder, terminal, version }: Context): ExitCode {
  const rows = listAllocations(stateFolder).flatMap(({ cloud, given }) => rowsOf(cloud, given))
  if (json) {
    const first = { type: 'edgepush', format: 1, version, command: 'show' }
    for (const line of [first, ...rows.map((row) => ({ type: 'allocation', ...row }))]) {
      terminal.out(`${JSON.stringify(line)}\n`)
    }
    return EXIT.ok
  }
  const head = ['CLOUD', 'WHO', 'TAG', 'SEGMENT', 'INDEX', 'ADDRESS', 'SINCE']
  const lines = rows.map(({ cloud, kind, name, tag = '-', segment = '-', index = '-', address = '-', since }) => {
    return [cloud, `${kind} ${name}`, String(tag), segment, String(index), address, since]
  })
  terminal.out(rows.length === 0 ? 'nothing was given out\n' : table([head, ...lines]))
  return EXIT.ok
}

function rowsOf(cloud: string, { segments, tags, addresses }: Given): readonly Row[] {
  const network = parseCidr(segments?.network ?? '')
  const cut = network && segments && { network, size: segments.size }
  return [
    ...Object.entries(tags).map(([name, { tag, since }]): Row => {
      return { cloud, kind: 'group', name, tag, segment: cut && formatCidr(segmentOf(tag, cut)), since }
    }),
    ...Object.entries(addresses).map(([name, { address, since }]): Row => {
      const parsed = parseIpv4(address)
      const place = cut && parsed && indexOf(parsed, cut)
      const segment = cut && place && formatCidr(segmentOf(place.tag, cut))
      return { cloud, kind: 'instance', name, tag: place?.tag, segment, index: place?.index, address, since }
    }),
  ]
}
