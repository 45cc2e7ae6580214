import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EXIT, Refusal } from '../../src/error.ts'
import { parseView, readView } from '../../src/view/parse.ts'

const SAMPLES = join(import.meta.dirname, 'samples')
const CASES = join(import.meta.dirname, '../cases')

function sample(name: string): string {
  return readFileSync(join(SAMPLES, name), 'utf8')
}

function caseViews(): readonly string[] {
  const files = readdirSync(CASES, { recursive: true, encoding: 'utf8' })
  // One has a rule that no cloud would take.
  return files.filter((file) => file.endsWith('/view.xml') && !file.startsWith('managed/every-rule-form/')).sort()
}

function read(name: string) {
  return readView(sample(name), name)
}

describe('views of cloud controllers', () => {
  test.each(caseViews())('case %s is read', (file) => {
    const text = readFileSync(join(CASES, file), 'utf8')
    const { view } = readView(text, file)
    expect(view.instances).toHaveLength(text.split('<instance ').length - 1)
    expect(view.groups.flatMap((group) => group.ingress)).toHaveLength(text.split('<rule>').length - 1)
    expect(view.clusters.flatMap((cluster) => cluster.nodes)).toHaveLength(text.split('<node ').length - 1)
  })

  test('there are cases', () => {
    expect(caseViews().length).toBeGreaterThanOrEqual(11)
  })

  test.each([
    'edge-1cluster-2nc.v4.2.xml',
    'edge-1cluster-2nc.v4.3.xml',
    'edge-1cluster-2nc.v4.4.xml',
    'edge-1cluster-2nc.v5.xml',
    'edge-1cluster-2nc.v5.wire.xml',
    'edge-2clusters.v4.2.xml',
    'edge-2clusters.v4.4.xml',
    'edge-2clusters.v5.xml',
    'edge-2clusters-flat.v5.xml',
    'edge-no-instances.v5.xml',
  ])('%s is read without a warning', (name) => {
    expect(read(name).findings).toEqual([])
  })

  test.each([
    ['edge-1cluster-2nc.v4.4.xml', 'edge-1cluster-2nc.v5.xml'],
    ['edge-1cluster-2nc.v5.xml', 'edge-1cluster-2nc.v5.wire.xml'],
    ['edge-2clusters.v4.4.xml', 'edge-2clusters.v5.xml'],
  ])('%s and %s are one view in two styles', (one, other) => {
    expect(read(other).view).toEqual(read(one).view)
  })

  test('nothing of a sample is lost', () => {
    expect(read('edge-2clusters.v5.xml').view).toEqual(JSON.parse(sample('edge-2clusters.view.json')))
  })

  test('a view is frozen all the way down', () => {
    const { view } = read('edge-2clusters.v5.xml')
    const pending: unknown[] = [view]
    for (const value of pending) {
      if (typeof value !== 'object' || value === null) continue
      expect(Object.isFrozen(value)).toBe(true)
      pending.push(...Object.values(value))
    }
    expect(pending.length).toBeGreaterThan(100)
  })
})

describe('views that are none', () => {
  test.each([
    [
      'unconfigured.v5.xml',
      ['unconfigured.v5.xml:2 configuration: mode is missing, as it is in every view before 4.2: say it, --mode NAME'],
    ],
    [
      'edge-1cluster-2nc.v4.0.xml',
      [
        'edge-1cluster-2nc.v4.0.xml:3 configuration: mode is missing, as it is in every view before 4.2: say it, --mode NAME',
      ],
    ],
    [
      'edge-1cluster-2nc.v4.1.xml',
      [
        'edge-1cluster-2nc.v4.1.xml:3 configuration: mode is missing, as it is in every view before 4.2: say it, --mode NAME',
      ],
    ],
  ])('%s', (name, errors) => {
    const { view, findings } = parseView(sample(name), name)
    expect(view).toBeUndefined()
    expect(findings.map(({ where, message }) => `${where}: ${message}`)).toEqual(errors)
  })

  test('a refusal lists every error and its line', () => {
    const text = sample('edge-1cluster-2nc.v4.4.xml')
      .replace('<value>EDGE</value>', '')
      .replace('<privateIp>172.20.4.23</privateIp>', '<privateIp>172.20.4.2x</privateIp>')
    expect(() => readView(text, 'view.xml')).toThrow(
      new Refusal(
        EXIT.badView,
        [
          'view.xml is not a usable view (2 errors)',
          '  view.xml:4 configuration: mode is missing, as it is in every view before 4.2: say it, --mode NAME',
          '  view.xml:97 instance i-7b40d9e2: privateIp "172.20.4.2x" is not an IPv4 address an instance can have',
        ].join('\n'),
      ),
    )
  })

  test('a refusal ends with exit code 65', () => {
    expect(() => readView('', 'view.xml')).toThrow(expect.objectContaining({ exitCode: EXIT.badView }))
  })

  test('a long list of errors is cut, and says how long it is', () => {
    const broken = Array.from({ length: 30 }, (_, index) => `<instance name="i-000000${index + 10}"/>`)
    const many = sample('edge-no-instances.v5.xml').replace('<instances/>', `<instances>${broken.join('')}</instances>`)
    expect(() => readView(many, 'view.xml')).toThrow(/\(90 errors\)\n(.*\n){20} {2}and 70 more$/)
  })
})
