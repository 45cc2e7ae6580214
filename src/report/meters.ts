/** Traffic counters for readers: a table, CSV with a header, OpenMetrics for a collector. */

import { table } from './table.ts'

interface NodeMeter {
  readonly node: string
  readonly instance: string
  readonly address: string
  readonly network: string
  readonly packetsIn: number
  readonly bytesIn: number
  readonly packetsOut: number
  readonly bytesOut: number
}

export function meterTable(meters: readonly NodeMeter[]): string {
  const head = ['NODE', 'INSTANCE', 'ADDRESS', 'NETWORK', 'PACKETS IN', 'BYTES IN', 'PACKETS OUT', 'BYTES OUT']
  return table([
    head,
    ...meters.map((meter) => [meter.node, meter.instance, meter.address, meter.network, ...counts(meter)]),
  ])
}

export function csv(meters: readonly NodeMeter[], time: Date): string {
  const head = ['time', 'node', 'instance', 'address', 'network', 'packets_in', 'bytes_in', 'packets_out', 'bytes_out']
  const rows = meters.map((meter) => {
    return [time.toISOString(), meter.node, meter.instance, meter.address, meter.network, ...counts(meter)]
  })
  return [head, ...rows].map((row) => `${row.join(',')}\n`).join('')
}

export function openMetrics(meters: readonly NodeMeter[], cloud: string): string {
  const family = (name: string, help: string, unit: string, incoming: keyof NodeMeter, outgoing: keyof NodeMeter) => [
    `# TYPE ${name} counter\n`,
    ...(unit ? [`# UNIT ${name} ${unit}\n`] : []),
    `# HELP ${name} ${help}\n`,
    ...meters.flatMap((meter) => [
      `${name}_total{${labels(meter, cloud, 'in')}} ${meter[incoming]}\n`,
      `${name}_total{${labels(meter, cloud, 'out')}} ${meter[outgoing]}\n`,
    ]),
  ]
  return [
    ...family('edgepush_instance_packets', 'Packets of an instance.', '', 'packetsIn', 'packetsOut'),
    ...family('edgepush_instance_bytes', 'Bytes of an instance.', 'bytes', 'bytesIn', 'bytesOut'),
    '# EOF\n',
  ].join('')
}

function counts({ packetsIn, bytesIn, packetsOut, bytesOut }: NodeMeter): readonly string[] {
  return [packetsIn, bytesIn, packetsOut, bytesOut].map(String)
}

function labels({ node, instance, address, network }: NodeMeter, cloud: string, direction: string): string {
  return Object.entries({ cloud, node, instance, address, network, direction })
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')
}
