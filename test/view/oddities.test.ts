/** More broken and odd documents, made from one sound view: what is decided, and why where eucanetd decides otherwise. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { servedView } from '../../src/commands/served-view.ts'
import { STRICT } from '../../src/view/parse.ts'
import { renderEverywhere } from './render-everywhere.ts'

const SOUND = readFileSync(join(import.meta.dirname, 'samples/malformed/000-baseline-edge.xml'), 'utf8')

type Verdict = 'accepted' | 'refused'
type Edit = readonly [from: string | RegExp, to: string]

const DECLARATION = SOUND.slice(0, SOUND.indexOf('<network-data'))
const ALL: RegExp = /[\s\S]+/
const property = (name: string) => new RegExp(`<property name="${name}">[\\s\\S]*?</property>`)
const INSTANCE = '<instance name="i-04c1d8aa">'

type Case = readonly [what: string, edit: Edit, theirs: Verdict | 'unknown', ours: Verdict, why?: string]

/** What it is, how it comes about, the verdict of eucanetd 5.1 as far as it was measured, ours, and why ours is another. */
const CASES: readonly Case[] = [
  ['empty', [ALL, ''], 'refused', 'refused'],
  ['only a declaration', [ALL, DECLARATION], 'refused', 'refused'],
  ['not XML', [ALL, 'Service unavailable'], 'refused', 'refused'],
  ['a page of HTML', [ALL, '<html><body>404</body></html>'], 'refused', 'refused'],
  ['another root', [/network-data/g, 'network-info'], 'refused', 'refused'],
  ['the end cut off', ['</network-data>', ''], 'refused', 'refused'],
  ['something after the end', [/$/, '<network-data/>'], 'refused', 'refused'],
  [
    'a comment before the root',
    ['<network-data', '<!-- by hand -->\n<network-data'],
    'refused',
    'accepted',
    'it says nothing about the network',
  ],
  [
    'a comment inside a value',
    ['<value>10.20.0.10</value>', '<value><!-- clc -->10.20.0.10</value>'],
    'accepted',
    'accepted',
  ],
  ['a character reference', ['<value>10.20.0.10</value>', '<value>10.20.0.&#49;0</value>'], 'accepted', 'accepted'],
  ['no configuration', [/<configuration>[\s\S]*<\/configuration>/, ''], 'refused', 'refused'],
  ['mode in lower case', ['EDGE', 'edge'], 'refused', 'refused'],
  ['mode SYSTEM', ['EDGE', 'SYSTEM'], 'refused', 'accepted', 'it is a mode of ours, though no cloud publishes it'],
  ['an empty mode', ['EDGE', ''], 'refused', 'refused'],
  ['enabledCLCIp missing', [property('enabledCLCIp'), ''], 'refused', 'refused'],
  [
    'enabledCLCIp a host name',
    ['<value>10.20.0.10</value>', '<value>clc.lab</value>'],
    'accepted',
    'refused',
    'it reads 127.0.0.1, so instances would get no metadata',
  ],
  ['instanceDNSDomain missing', [property('instanceDNSDomain'), ''], 'refused', 'refused'],
  ['instanceDNSServers 0.0.0.0', [/(instanceDNSServers">\s*<value>)[^<]*/, '$10.0.0.0'], 'refused', 'refused'],
  [
    'publicIps garbage',
    ['203.0.113.16-203.0.113.79', 'all of them'],
    'accepted',
    'refused',
    'it leaves the range out, and with it what tells our addresses from others',
  ],
  [
    'publicIps 0.0.0.0',
    ['203.0.113.16-203.0.113.79', '0.0.0.0'],
    'accepted',
    'refused',
    'no instance can have it; up to 4.3 it was refused',
  ],
  [
    'publicIps half a range',
    ['203.0.113.16-203.0.113.79', '203.0.113.16-'],
    'accepted',
    'refused',
    'it leaves the range out',
  ],
  [
    'a further subnet without a gateway',
    [/(<property name="subnets">[\s\S]*?)<property name="gateway">[\s\S]*?<\/property>/, '$1'],
    'refused',
    'refused',
  ],
  ['a cluster without a name', ['cluster name="az-one"', 'cluster'], 'refused', 'refused'],
  [
    'two clusters of one name',
    ['cluster name="az-two"', 'cluster name="az-one"'],
    'accepted',
    'refused',
    'nothing says which of the two is right',
  ],
  ['enabledCCIp a host name', [/(enabledCCIp">\s*<value>)[^<]*/, '$1cc-one.lab'], 'accepted', 'accepted'],
  [
    'enabledCCIp nonsense',
    [/(enabledCCIp">\s*<value>)[^<]*/, '$110.20.0.999'],
    'accepted',
    'refused',
    'it reads 127.0.0.1',
  ],
  ['macPrefix nonsense', [/(macPrefix">\s*<value>)[^<]*/, '$1zz'], 'accepted', 'accepted'],
  [
    'privateIps empty',
    [/<property name="privateIps">[\s\S]*?<\/property>/, '<property name="privateIps"/>'],
    'refused',
    'refused',
  ],
  [
    'a netmask with a hole',
    ['255.255.255.0', '255.0.255.0'],
    'unknown',
    'refused',
    'no prefix says it, and dhcpd would not start',
  ],
  ['a node without a name', ['node name="10.20.0.31"', 'node'], 'refused', 'refused'],
  [
    'two nodes of one name',
    ['node name="10.20.0.32"', 'node name="10.20.0.31"'],
    'unknown',
    'refused',
    'half of its instances would be cut off',
  ],
  ['a node by its host name', ['node name="10.20.1.33"', 'node name="nc-03.lab"'], 'unknown', 'accepted'],
  [
    'a node that lists an unknown id',
    ['<value>i-04c1d8aa</value>', '<value>i-04c1d8aa</value><value>i-00000000</value>'],
    'accepted',
    'accepted',
  ],
  ['an instance on no node', ['<value>i-04c1d8aa</value>', ''], 'accepted', 'accepted'],
  [
    'no instances section',
    [/<instances>[\s\S]*<\/instances>/, ''],
    'unknown',
    'refused',
    'it would take the network of every instance away',
  ],
  [
    'no groups section',
    [/<securityGroups>\s*<securityGroup [\s\S]*<\/securityGroups>/, ''],
    'unknown',
    'refused',
    'it would shut every instance',
  ],
  [
    'an instance without a MAC',
    [/(<instance name="i-04c1d8aa">[\s\S]*?)<macAddress>[^<]*<\/macAddress>/, '$1'],
    'accepted',
    'accepted',
  ],
  [
    'an instance at 0.0.0.0',
    [/(<instance name="i-04c1d8aa">[\s\S]*?<privateIp>)[^<]*/, '$10.0.0.0'],
    'refused',
    'refused',
  ],
  [
    'an instance at no address',
    [/(<instance name="i-04c1d8aa">[\s\S]*?<privateIp>)[^<]*/, '$1x'],
    'accepted',
    'refused',
    'it reads 127.0.0.1, and translates traffic to it',
  ],
  [
    'an instance at a host name',
    [/(<instance name="i-04c1d8aa">[\s\S]*?<publicIp>)[^<]*/, '$1www.lab'],
    'accepted',
    'refused',
    'it reads 127.0.0.1, and gives it to the interface',
  ],
  [
    'an instance whose public address is its private one',
    [/<publicIp>[^<]*(<\/publicIp>\s*<privateIp>)([^<]*)/, '<publicIp>$2$1$2'],
    'accepted',
    'accepted',
  ],
  [
    'a public address outside the pool',
    ['203.0.113.16-203.0.113.79', '203.0.113.70-203.0.113.79'],
    'accepted',
    'accepted',
  ],
  [
    'two instances at one private address',
    ['<privateIp>172.20.4.21<', '<privateIp>172.20.4.20<'],
    'accepted',
    'refused',
    'rules of one instance would be applied to the other',
  ],
  [
    'an instance in no group',
    [/(<instance name="i-04c1d8aa">[\s\S]*?)<securityGroups>[\s\S]*?<\/securityGroups>/, '$1<securityGroups/>'],
    'refused',
    'refused',
  ],
  [
    'an id that would be an option',
    [/i-04c1d8aa/g, '--flush'],
    'unknown',
    'refused',
    'it would stand in files that tools read',
  ],
  ['an id of 17 digits', [/i-04c1d8aa/g, 'i-04c1d8aa04c1d8aa0'], 'accepted', 'accepted'],
  ['a group without a name', ['securityGroup name="sg-3c5d7e91"', 'securityGroup name=""'], 'refused', 'refused'],
  ['a group with a UUID for a name', [/sg-3c5d7e91/g, '4f7f0a0e-1d2c-4a8e-9b3c-5d6e7f809102'], 'unknown', 'accepted'],
  [
    'a group whose name is a line of its own',
    [/sg-3c5d7e91/g, 'sg-1&#10;-F'],
    'unknown',
    'refused',
    'it would be a rule of its own',
  ],
  [
    'two groups of one name',
    ['securityGroup name="sg-b2a49f08"', 'securityGroup name="sg-3c5d7e91"'],
    'unknown',
    'refused',
    'nothing says which of the two is right',
  ],
  ['a rule without a source', ['<cidr>0.0.0.0/0</cidr>', ''], 'accepted', 'refused', 'it lets in everybody'],
  [
    'a rule with ports backwards',
    [/<fromPort>443<\/fromPort>/, '<fromPort>444</fromPort>'],
    'accepted',
    'refused',
    'it lets in port 444, which nobody asked for',
  ],
  [
    'a rule for all protocols',
    ['<protocol>6</protocol>', '<protocol>-1</protocol>'],
    'accepted',
    'refused',
    'the node gets no update any more',
  ],
  [
    'a rule for a port that is none',
    [/<toPort>443<\/toPort>/, '<toPort>65536</toPort>'],
    'unknown',
    'refused',
    'iptables refuses it, and the node gets no update any more',
  ],
  [
    'a rule from an IPv6 network',
    ['<cidr>0.0.0.0/0</cidr>', '<cidr>::/0</cidr>'],
    'accepted',
    'refused',
    'it reads 127.0.0.1, and the node gets no update any more',
  ],
  [
    'an internet gateway',
    ['<internetGateways/>', '<internetGateways><internetGateway name="igw-1"/></internetGateways>'],
    'refused',
    'refused',
  ],
  ['another order', [/(<instances>[\s\S]*<\/instances>)([\s\S]*)(<\/network-data>)/, '$2$1$3'], 'unknown', 'accepted'],
]

function verdict(text: string): Verdict {
  try {
    const { view } = servedView({ text, origin: 'v', modified: undefined }, STRICT)
    // A node by its host name is one that no inventory can have.
    const clusters = view.clusters.map((one) => ({
      ...one,
      nodes: one.nodes.filter(({ name }) => /^[\d.]+$/.test(name)),
    }))
    expect(renderEverywhere({ ...view, clusters }).length).toBeGreaterThanOrEqual(4)
    return 'accepted'
  } catch (error) {
    expect(error).toMatchObject({ exitCode: 65 })
    return 'refused'
  }
}

test.each(CASES.map((one) => ({ what: one[0], one })))('$what', ({ one: [, [from, to], theirs, ours, why] }) => {
  const text = SOUND.replace(from, to)
  expect(text).not.toBe(SOUND)
  expect(verdict(text)).toBe(ours)
  // What is accepted needs no reason where nothing is known of the original.
  expect(why !== undefined).toBe(theirs !== ours && !(theirs === 'unknown' && ours === 'accepted'))
})

test('the view that they are made from is sound', () => {
  expect(SOUND).toContain(INSTANCE)
  expect(verdict(SOUND)).toBe('accepted')
})
