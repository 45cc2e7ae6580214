// Readers of what edgepush meter prints, stricter than most: a form that is not kept is an error, not a missing number.

import { expect } from 'vitest'

type Traffic = readonly [packets: number, bytes: number]

export interface Count {
  readonly in: Traffic
  readonly out: Traffic
}

type Counts = Readonly<Record<string, Count>>

/** By `a public`, where a is the instance i-0a0a0a0a. */
export function metersIn(ndjson: string): Counts {
  const [first, ...lines] = ndjson.trimEnd().split('\n')
  expect(JSON.parse(first ?? '')).toMatchObject({ type: 'edgepush', format: 1, command: 'meter' })
  return Object.fromEntries(lines.map((line) => fromJson(JSON.parse(line) as Readonly<Record<string, unknown>>)))
}

function fromJson(meter: Readonly<Record<string, unknown>>): readonly [string, Count] {
  const { type, instance, network, packetsIn, bytesIn, packetsOut, bytesOut } = meter
  expect(type).toBe('meter')
  return [
    nameOf(String(instance), String(network)),
    { in: [Number(packetsIn), Number(bytesIn)], out: [Number(packetsOut), Number(bytesOut)] },
  ]
}

export function csvRows(csv: string): Counts {
  expect(csv.endsWith('\n')).toBe(true)
  const [head, ...lines] = csv.trimEnd().split('\n')
  const columns = 'time,node,instance,address,network,packets_in,bytes_in,packets_out,bytes_out'
  expect(head).toBe(columns)
  const rows = lines.map((line) => {
    const cells = line.split(',')
    expect(cells).toHaveLength(columns.split(',').length)
    const [time = '', node, instance = '', address, network = '', ...numbers] = cells
    expect(new Date(time).toISOString()).toBe(time)
    expect([node, address]).toEqual([expect.stringMatching(/^nc-\d\d$/), expect.stringMatching(/^[\d.]+$/)])
    for (const number of numbers) expect(number).toMatch(/^\d+$/)
    const [packetsIn = 0, bytesIn = 0, packetsOut = 0, bytesOut = 0] = numbers.map(Number)
    return [nameOf(instance, network), { in: [packetsIn, bytesIn], out: [packetsOut, bytesOut] }] as const
  })
  return Object.fromEntries(rows)
}

/** Families whole and in one piece, a unit that ends the name, counters that end in _total, no sample twice, an end. */
export function openMetricsSamples(text: string): Counts {
  expect(text.endsWith('\n# EOF\n')).toBe(true)
  const samples = new Map<string, number>()
  const families = new Set<string>()
  let family = ''
  for (const line of text.slice(0, -'# EOF\n'.length).trimEnd().split('\n')) {
    if (line.startsWith('#')) {
      const [, word = '', name = '', rest = ''] = /^# (TYPE|UNIT|HELP) ([a-z_]+) (.+)$/.exec(line) ?? []
      expect(name, line).not.toBe('')
      if (word === 'TYPE') {
        expect(families, line).not.toContain(name)
        expect(rest).toBe('counter')
        families.add(name)
        family = name
      }
      expect(name).toBe(family)
      if (word === 'UNIT') expect(name.endsWith(`_${rest}`), line).toBe(true)
    } else {
      const [, name, labels = '', value] = /^([a-z_]+)\{((?:[a-z]+="[^"\\]*",?)+)\} (\d+)$/.exec(line) ?? []
      expect(name, line).toBe(`${family}_total`)
      const key = `${family} ${labels}`
      expect(samples.has(key), line).toBe(false)
      samples.set(key, Number(value))
    }
  }
  return counted(samples)
}

function counted(samples: ReadonlyMap<string, number>): Counts {
  const value = (kind: string, direction: string, labels: string) => {
    const found = samples.get(`edgepush_instance_${kind} ${labels.replace('"in"', `"${direction}"`)}`)
    if (found === undefined) throw new Error(`no sample: ${kind} ${direction} ${labels}`)
    return found
  }
  const incoming = [...samples.keys()].filter((key) => key.startsWith('edgepush_instance_packets ') && /"in"/.test(key))
  expect(samples.size).toBe(incoming.length * 4)
  const rows = incoming.map((key) => {
    const labels = key.slice('edgepush_instance_packets '.length)
    const [, instance = '', network = ''] =
      /cloud="lab",node="nc-\d\d",instance="([^"]+)",address="[\d.]+",network="([a-z]+)"/.exec(labels) ?? []
    const traffic = (direction: string): Traffic => [
      value('packets', direction, labels),
      value('bytes', direction, labels),
    ]
    return [nameOf(instance, network), { in: traffic('in'), out: traffic('out') }] as const
  })
  return Object.fromEntries(rows)
}

function nameOf(instance: string, network: string): string {
  return `${instance.slice(-1)} ${network}`
}
