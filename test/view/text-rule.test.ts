/** Rules as text, every form of every version, and what is none of them. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseView } from '../../src/view/parse.ts'

const EMPTY = readFileSync(join(import.meta.dirname, 'samples/edge-no-instances.v5.xml'), 'utf8')

function parse(rules: string) {
  const group = `<securityGroup name="sg-1"><ownerId>1</ownerId>${rules}</securityGroup>`
  return parseView(EMPTY.replace('<securityGroups/>', `<securityGroups>${group}</securityGroups>`), 'v')
}

function readText(text: string) {
  const { view, findings } = parse(`<rules><value>${text}</value></rules>`)
  return {
    rules: view?.groups[0]?.ingress ?? [],
    said: findings.map(({ severity, message }) => `${severity}: ${message}`),
  }
}

const ANYWHERE = { cidr: { address: '0.0.0.0', prefix: 0 } }

describe('what is a rule', () => {
  test.each([
    ['-P tcp -p 22-22  -s 0.0.0.0/0', { protocol: 'tcp', ports: { from: 22, to: 22 } }, ANYWHERE],
    ['-P 6 -p 22-80 -s 0.0.0.0/0', { protocol: 'tcp', ports: { from: 22, to: 80 } }, ANYWHERE],
    [
      '  -P udp -p 53-53   -s 10.1.2.3/8\n',
      { protocol: 'udp', ports: { from: 53, to: 53 } },
      { cidr: { address: '10.0.0.0', prefix: 8 } },
    ],
    [
      '-P 17 -p 0-65535  -o sg-2 -u 000000000001',
      { protocol: 'udp', ports: { from: 0, to: 65535 } },
      { group: 'sg-2' },
    ],
    ['-P icmp -t -1:-1  -s 0.0.0.0/0', { protocol: 'icmp', type: 'any', code: 'any' }, ANYWHERE],
    ['-P 1 -t 8:0  -s 0.0.0.0/0', { protocol: 'icmp', type: 8, code: 0 }, ANYWHERE],
    ['-P icmp -t 3:-1  -o sg-1 -u 000000000001', { protocol: 'icmp', type: 3, code: 'any' }, { group: 'sg-1' }],
    ['-P 47 -s 0.0.0.0/0', { protocol: 47 }, ANYWHERE],
    ['-P 47  -o sg-1 -u 000000000001', { protocol: 47 }, { group: 'sg-1' }],
    [
      '-P tcp -p 22-22  -o 4f7f0a0e-1d2c-4a8e-9b3c-5d6e7f809102 -u 000000000001',
      { protocol: 'tcp', ports: { from: 22, to: 22 } },
      { group: 'sg-ne73a55a6342d251bc12a' },
    ],
  ])('%j', (text, match, source) => {
    expect(readText(text).rules).toEqual([{ match, source }])
  })
})

describe('what is none', () => {
  test.each([
    '-P tcp  -s 0.0.0.0/0',
    '-P icmp  -s 0.0.0.0/0',
    '-P tcp -t 8:0  -s 0.0.0.0/0',
    '-P icmp -p 22-22  -s 0.0.0.0/0',
    '-P 47 -p 22-22  -s 0.0.0.0/0',
    '-P tcp -p 22  -s 0.0.0.0/0',
    '-P tcp -p 22-22',
    '-P tcp -p 22-22  -o sg-1',
    '-P tcp -p 22-22  -s 0.0.0.0/0 -o sg-1 -u 1',
    '-P tcp -p 22-22  -s 0.0.0.0/0 -j ACCEPT',
    '-p 22-22  -s 0.0.0.0/0',
    'anything',
  ])('%j', (text) => {
    expect(readText(text)).toEqual({ rules: [], said: [`error: ${JSON.stringify(text)} is not a rule`] })
  })

  test.each([
    ['-P tcp -p 80-22  -s 0.0.0.0/0', 'toPort 22 is below fromPort 80'],
    ['-P tcp -p 22-99999  -s 0.0.0.0/0', 'toPort "99999" is not a port (0 to 65535)'],
    ['-P tcp -p x-22  -s 0.0.0.0/0', 'fromPort "x" is not a port (0 to 65535)'],
    ['-P -1 -s 0.0.0.0/0', 'protocol -1: a rule for all protocols at once cannot be carried out'],
    ['-P 0 -s 0.0.0.0/0', 'protocol "0" is not the number of a protocol (1 to 255)'],
    ['-P gre -s 0.0.0.0/0', 'protocol "gre" is not the number of a protocol (1 to 255)'],
    ['-P 47 -s 10.0.0.0/33', 'cidr "10.0.0.0/33" is not an IPv4 network'],
    ['-P 47 -o $(id) -u 1', expect.stringMatching(/groupId "\$\(id\)" is not the name of a group/)],
  ])('%j: %s', (text, message) => {
    const { rules, said } = readText(text)
    expect(rules).toEqual([])
    expect(said.map((line) => line.replace('error: ', ''))).toEqual([message])
  })
})

describe('which form counts', () => {
  const TEXT = '<rules><value>-P tcp -p 22-22  -s 0.0.0.0/0</value></rules>'
  const RULE = '<rule><protocol>47</protocol><cidr>0.0.0.0/0</cidr></rule>'

  function protocols(rules: string) {
    const { view, findings } = parse(rules)
    return [view?.groups[0]?.ingress.map(({ match }) => match.protocol), findings.map(({ message }) => message)]
  }

  test.each([
    ['structured rules where there are any', `${TEXT}<ingressRules>${RULE}</ingressRules>`, [47], []],
    ['text without the other form', TEXT, ['tcp'], []],
    [
      'text beside an empty list',
      `${TEXT}<ingressRules/>`,
      ['tcp'],
      ['has rules as text only; they count here, though not for a node of 4.2 or later'],
    ],
    [
      'structured rules, also where there are fewer',
      `${TEXT.repeat(1).replace('</rules>', '<value>-P 47 -s 0.0.0.0/0</value></rules>')}<ingressRules>${RULE}</ingressRules>`,
      [47],
      ['has 2 rules as text but 1 structured ones; only the structured ones count'],
    ],
    ['neither', '', [], []],
  ])('%s', (_, rules, expected, said) => {
    expect(protocols(rules)).toEqual([expected, said])
  })
})
