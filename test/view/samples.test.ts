/** A document of every version and mode there is: it renders for every node it names, or is refused with a reason. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { servedView } from '../../src/commands/served-view.ts'
import type { Reading } from '../../src/view/parse.ts'
import { renderEverywhere } from './render-everywhere.ts'

const SAMPLES = join(import.meta.dirname, 'samples')

const SERVED = 'this version serves EDGE, MANAGED, MANAGED-NOVLAN, STATIC, SYSTEM'
const NO_MODE = 'configuration: mode is missing, as it is in every view before 4.2: say it, --mode NAME'

/** `--mode`, if one is said; then on how many nodes it renders, or the end of what is said. */
const VERDICTS: readonly (readonly [file: string, mode: string | undefined, verdict: number | string])[] = [
  ['edge-1cluster-2nc.v4.0.xml', undefined, NO_MODE],
  ['edge-1cluster-2nc.v4.0.xml', 'EDGE', 2],
  ['edge-1cluster-2nc.v4.0.xml', 'MANAGED', 'there is no managedSubnet'],
  ['edge-1cluster-2nc.v4.0.xml', 'no mode', '--mode: "no mode" is not the name of a mode'],
  ['edge-1cluster-2nc.v4.1.xml', undefined, NO_MODE],
  ['edge-1cluster-2nc.v4.1.xml', 'EDGE', 2],
  ['edge-1cluster-2nc.v4.2.xml', undefined, 2],
  ['edge-1cluster-2nc.v4.2.xml', 'EDGE', 2],
  ['edge-1cluster-2nc.v4.2.xml', 'VPCMIDO', 'configuration: mode is EDGE, but --mode says "VPCMIDO"'],
  ['edge-1cluster-2nc.v4.3.xml', undefined, 2],
  ['edge-1cluster-2nc.v4.4.xml', undefined, 2],
  ['edge-1cluster-2nc.v5.wire.xml', undefined, 2],
  ['edge-1cluster-2nc.v5.xml', undefined, 2],
  ['edge-2clusters-flat.v5.xml', undefined, 5],
  ['edge-2clusters.v4.2.xml', undefined, 5],
  ['edge-2clusters.v4.4.xml', undefined, 5],
  ['edge-2clusters.v5.xml', undefined, 5],
  ['edge-no-instances.v5.xml', undefined, 2],
  ['unconfigured.v5.xml', undefined, NO_MODE],
  ['managed-novlan.v4.2.xml', undefined, 2],
  ['managed.v4.2.xml', undefined, 2],
  ['synthetic-static.xml', undefined, 2],
  ['synthetic-system.xml', undefined, 2],
  ['vpcmido-bgp.v4.4.xml', undefined, SERVED],
  ['vpcmido-bgp.v5.xml', undefined, SERVED],
  ['vpcmido-static.v5.applied.xml', undefined, SERVED],
  ['vpcmido-static.v5.xml', undefined, SERVED],
  ['vpcmido.v4.1.xml', undefined, NO_MODE],
  ['vpcmido.v4.1.xml', 'EDGE', 'rule 2: protocol -1: a rule for all protocols at once cannot be carried out'],
  ['vpcmido.v4.2.xml', undefined, SERVED],
  ['vpcmido.v4.3.xml', undefined, SERVED],
]

function reading(mode: string | undefined): Reading {
  return { lenient: false, mode: mode === undefined ? undefined : { name: mode, saidBy: '--mode' } }
}

function read(file: string, mode?: string) {
  const sourced = { text: readFileSync(join(SAMPLES, file), 'utf8'), origin: file, modified: undefined }
  return servedView(sourced, reading(mode)).view
}

test('there is a verdict on every sample', () => {
  const files = readdirSync(SAMPLES).filter((file) => file.endsWith('.xml'))
  expect(new Set(VERDICTS.map(([file]) => file))).toEqual(new Set(files))
})

test.each(VERDICTS)('%s (--mode %s): %s', (file, mode, verdict) => {
  const render = () => renderEverywhere(read(file, mode))
  if (typeof verdict === 'string') expect(render).toThrow(new RegExp(`${verdict.replace(/[()]/g, '\\$&')}$`, 'm'))
  else expect(render()).toHaveLength(verdict)
})

describe('one cloud', () => {
  const NEWEST = read('edge-1cluster-2nc.v5.xml')
  const WITHOUT = {
    'edge-1cluster-2nc.v4.0.xml': ['version', 'group without members', 'protocol 47', 'rules that name it'],
    'edge-1cluster-2nc.v4.1.xml': ['version', 'group without members', 'protocol 47', 'rules that name it'],
    'edge-1cluster-2nc.v4.2.xml': ['group without members', 'rules that name it'],
  }

  test.each(Object.entries(WITHOUT))('%s is the newest view without what its version did not have', (file, lacks) => {
    const view = read(file, 'EDGE')
    const groups = NEWEST.groups
      .filter(({ id }) => id !== 'sg-9900aa11')
      .map((group) => ({ ...group, ingress: group.ingress.filter((rule) => isKnownTo(rule, lacks)) }))
    const version = lacks.includes('version') ? undefined : view.version
    expect(view).toEqual({ ...NEWEST, version, groups })
  })

  function isKnownTo({ match, source }: (typeof NEWEST.groups)[number]['ingress'][number], lacks: readonly string[]) {
    return source.group !== 'sg-9900aa11' && !(match.protocol === 47 && lacks.includes('protocol 47'))
  }
})
