// Between commit and confirm, and after it: what goes wrong on a node that nobody is connected to.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../../lab/make-lab.ts'
import type { LabNode } from '../../../lab/make-node.ts'
import { startLab } from '../../../lab/start-lab.ts'
import type { World } from '../../../lab/world.ts'
import { type Dump, dump, dumpAll } from '../dump.ts'
import { mustPush, push } from '../push.ts'
import { breakTool } from '../sabotage.ts'
import { describeLab } from '../with-lab.ts'

const state = '/var/lib/edgepush'
const nodes = ['nc-01', 'nc-02', 'nc-03', 'nc-04']

/** An instance on every node; the group lets in what the text says. */
const letting = (rule: string): World => ({
  instances: Object.fromEntries(
    nodes.map((node, index) => [`i-0000000${index}`, { node, groups: ['sg-aaaaaaaa'], public: true as const }]),
  ),
  groups: { 'sg-aaaaaaaa': [rule] },
})

describeLab('with nobody there', () => {
  let lab: Lab
  let before: Readonly<Record<string, Dump>>

  beforeAll(async () => {
    lab = await startLab({ nodes: nodes.length, world: letting('tcp 22 from anywhere') })
    await mustPush(lab)
    before = await dumpAll(lab)
    await lab.publish(letting('tcp 80 from anywhere'))
  })
  afterAll(() => lab?.stop())

  it('nodes go back although their clocks run wild, their earlier bundle is gone, or the way back fails at first', async () => {
    const [wild, bare, stuck] = [lab.node('nc-01'), lab.node('nc-02'), lab.node('nc-03')] as const
    await wild.run(`printf '#!/bin/sh\\necho "$*" >> /tmp/asked\\necho 2100-01-01T00:00:0$((n = $(wc -l < /tmp/asked) %% 10))Z\\n' > /tmp/date
      chmod +x /tmp/date && mount --bind /tmp/date "$(command -v date)"`)
    const args = ['--limit', [wild, bare, stuck].map(({ name }) => name).join(':'), '--confirm-window', '15s']
    const { outcomes } = await push(lab, args)
    expect(Object.values(outcomes).map(({ status }) => status)).toEqual(['awaiting', 'awaiting', 'awaiting'])
    await bare.run(`rm -rf "${state}/$(readlink ${state}/current)"`)
    const mended = { does: '[ -e /tmp/mended ] || exit 1' }
    await breakTool(stuck, 'iptables-restore', mended, { during: 'apply[.]sh expire', times: 'always' })

    await stuck.run(`until grep -q ' unknown: neither' ${state}/journal; do sleep 0.01; done; touch /tmp/mended`)
    await Promise.all([wild, bare, stuck].map(wentBack))
    for (const node of [wild, bare, stuck]) expect(await dump(node)).toEqual(before[node.name])
    expect(new Set((await wild.run('cat /tmp/asked')).trim().split('\n'))).toEqual(
      new Set(['-u +%Y-%m-%dT%H:%M:%SZ', '+%s.%N']),
    )
    expect(await wild.run(`tail -n 1 ${state}/journal`)).toContain(' 2100-01-01T')
  })

  it('a node that somebody changes before it is confirmed goes back', async () => {
    const node = lab.node('nc-04')
    const { outcomes } = await push(lab, ['--node', node.name, '--confirm-window', '1m'])
    const run = outcomes[node.name]?.next?.split(' ').at(-1) ?? ''
    await node.run('iptables -F sg-aaaaaaaa')
    const { code, stdout } = await lab.edgepush(['confirm', run, 'push.yml'])
    expect({ code, stdout }).toMatchObject({
      code: 5,
      stdout: expect.stringContaining('it was changed before it was confirmed: iptables'),
    })
    expect(await dump(node)).toEqual(before[node.name])
  })

  it('a node whose rules another tool sets to what they were before us is found out, and repaired', async () => {
    const node = lab.node('nc-04')
    await mustPush(lab, ['--node', node.name])
    const held = await dump(node)
    await node.run('iptables-restore', { stdin: '*filter\n-A FORWARD -s 203.0.113.1 -j DROP\nCOMMIT\n*nat\nCOMMIT\n' })
    const { stdout } = await lab.edgepush(['status', 'push.yml', '--live', '--node', node.name])
    expect(stdout).toContain('differs: iptables')
    expect(await mustPush(lab, ['--node', node.name])).toEqual({ [node.name]: 'converged' })
    await node.run('iptables -D FORWARD -s 203.0.113.1 -j DROP')
    expect(await dump(node)).toEqual(held)
  })
})

async function wentBack(node: LabNode): Promise<void> {
  await node.run(`until tail -n 1 ${state}/journal | grep -q ' went back to '; do sleep 0.01; done`)
}
