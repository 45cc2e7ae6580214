/** What a node says of itself, asked in namespaces of this machine. */

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packageTemplates } from '../../src/config/templates.ts'
import { NotProbed, probe } from '../../src/node/probe.ts'
import { makeSandbox, type Sandbox, sandboxMissing } from './sandbox.ts'

const missing = sandboxMissing()
if (missing !== '') console.error(`SKIPPED: no node to ask without ${missing}`)

const templates = packageTemplates()

const WORLD = `
ip link add br0 address 02:00:00:00:00:51 type bridge && ip address add 10.110.5.51/16 dev br0
ip link add em1 address 02:00:00:00:00:52 type veth peer name em1.7 address 02:00:00:00:00:53
ip address add 203.0.113.7/32 dev em1 && ip address add 203.0.113.8/32 dev em1`

describe.skipIf(missing !== '')('a probe', () => {
  let node: Sandbox

  beforeEach(() => {
    node = makeSandbox()
  })

  afterEach(() => node.remove())

  it('tells the interfaces, their MACs and addresses', async () => {
    const { facts } = await probe(node.connect({ world: WORLD }), templates)
    expect(facts).toEqual({
      interfaces: {
        br0: { mac: '02:00:00:00:00:51', addresses: ['10.110.5.51/16'] },
        em1: { mac: '02:00:00:00:00:52', addresses: ['203.0.113.7/32', '203.0.113.8/32'] },
        'em1.7': { mac: '02:00:00:00:00:53', addresses: [] },
      },
    })
  })

  it('tells of a host that was never a node', async () => {
    const { conf, holding, boot } = await probe(node.connect(), templates)
    expect(conf).toEqual({})
    expect(holding).toBeUndefined()
    expect(boot).toMatch(/^[0-9a-f]{8}-/)
  })

  it('tells the version that is installed', async () => {
    node.configure('eucalyptus-version', '5.1.0\nbuilt elsewhere\n')
    expect((await probe(node.connect(), templates)).facts.eucalyptusVersion).toBe('5.1.0')
  })

  it.each<[string, string, string | undefined]>([
    ['a quoted value', 'VNET_BRIDGE="br0"', 'br0'],
    ['a bare value', 'VNET_BRIDGE=br0', 'br0'],
    ['a comment after it', 'VNET_BRIDGE="br0" # the "old" one', 'br0'],
    ['a comment right after a bare value', 'VNET_BRIDGE=br0#old', 'br0'],
    ['blanks and a # inside quotes', 'VNET_BRIDGE=" br 0 # "', ' br 0 # '],
    ['an apostrophe inside quotes', `VNET_BRIDGE="o'br"`, "o'br"],
    ['an equals sign in the value', 'VNET_BRIDGE="a=b"', 'a=b'],
    ['only the first word of a bare value', 'VNET_BRIDGE=br0 br1', 'br0'],
    ['blanks before the name', ' \t VNET_BRIDGE=br0', 'br0'],
    ['blanks around the sign', 'VNET_BRIDGE = "br0"', 'br0'],
    ['a file from another system', 'VNET_BRIDGE=br0\r', 'br0'],
    ['an empty value', 'VNET_BRIDGE=""', ''],
    ['no value at all', 'VNET_BRIDGE=', ''],
    ['the first of two', 'VNET_BRIDGE=br0\nVNET_BRIDGE=br1', 'br0'],
    ['the first of two, also when it is empty', 'VNET_BRIDGE=""\nVNET_BRIDGE=br1', ''],
    ['not a comment', '#VNET_BRIDGE=br0\n # VNET_BRIDGE=br0', undefined],
    ['not a longer name', 'VNET_BRIDGES=br0\nMY_VNET_BRIDGE=br0', undefined],
    ['not another spelling', 'vnet_bridge=br0', undefined],
    ['not a name without a sign', 'VNET_BRIDGE br0', undefined],
  ])('reads %s in eucalyptus.conf', async (_, text, value) => {
    node.configure('eucalyptus.conf', `# An example.\n\n${text}\n`)
    const { conf } = await probe(node.connect(), templates)
    expect(conf.VNET_BRIDGE?.value).toBe(value)
    if (value !== undefined) expect(conf.VNET_BRIDGE?.where).toBe('/etc/eucalyptus/eucalyptus.conf:3')
  })

  it('reads names with digits, and the last line without a newline', async () => {
    node.configure('eucalyptus.conf', 'NC_PROXY="N"\nDISABLE_L2_ISOLATION="Y"')
    const { conf } = await probe(node.connect(), templates)
    expect(conf.DISABLE_L2_ISOLATION).toEqual({ value: 'Y', where: '/etc/eucalyptus/eucalyptus.conf:2' })
  })

  it.each([
    ['view 0a1b2c3d\nheld yes', { digest: 'abc', held: true, differing: [], version: '0a1b2c3d' }],
    ['held no\ndiffers ipset dhcpd', { digest: 'abc', held: false, differing: ['ipset', 'dhcpd'], version: '' }],
    ['', { digest: 'abc', held: false, differing: [], version: '' }],
  ])('tells what the current bundle says: %j', async (says, holding) => {
    mkdirSync(join(node.state, 'gen/abc'), { recursive: true })
    writeFileSync(join(node.state, 'gen/abc/apply.sh'), `[ "$1" = held ] && printf '%s\\n' '${says}'`)
    symlinkSync('gen/abc', join(node.state, 'current'))
    expect((await probe(node.connect(), templates)).holding).toEqual(holding)
  })

  it('refuses a login that is not root', async () => {
    const world = 'set -- setpriv --reuid 65534 --clear-groups "$@"'
    await expect(probe(node.connect({ world }), templates)).rejects.toThrow(
      new NotProbed('this login is not root (uid 65534): log in as root, or say become: sudo in the inventory'),
    )
  })

  it('refuses a description that ended early', async () => {
    const broken = { ...templates, 'node/probe.sh': 'echo boot 1; exit 3' }
    await expect(probe(node.connect(), broken)).rejects.toThrow(new NotProbed('the probe ended with status 3'))
  })
})
