// A controller and a node that the original still serves: refused by a push, shown and taken over by adopt, given back by
// release. What the original holds is our own, put where it puts it.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabMode } from '../../lab/plan-managed.ts'
import type { Station } from '../../lab/probes-from.ts'
import { startLab } from '../../lab/start-lab.ts'
import { expectPackets } from '../lab/packets.ts'
import { all, mustPush, push } from '../lab/push.ts'
import { describeLab } from '../lab/with-lab.ts'

const FOREIGN = '-A FORWARD -s 10.99.0.0/16 -j ACCEPT'

/** Rules in the built-in chains, as the original has them: all in one table that is loaded whole. */
function inBuiltIn(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^:EUCA_(FORWARD|PREROUTING|OUTPUT|POSTROUTING) |^-A [A-Z]+ -j EUCA_|^#/.test(line))
    .map((line) => line.replace(/^-A EUCA_(FORWARD|PREROUTING|OUTPUT|POSTROUTING) /, '-A $1 '))
    .join('\n')
    .replace('-A FORWARD', `${FOREIGN}\n-A FORWARD`)
}

const DAEMON = `cp /bin/sleep /run/eucanetd
setsid /run/eucanetd 1000 < /dev/null > /dev/null 2>&1 &
echo $! > /run/eucalyptus/eucanetd.pid`

describeLab.each(['MANAGED', 'MANAGED-NOVLAN'] satisfies LabMode[])('%s', (mode) => {
  let lab: Lab
  let hosts: readonly Station[]
  const rules = async () =>
    (await lab.controller('cc-01').run('iptables-save')).split('\n').filter((line) => /^-A/.test(line))
  let original: readonly string[]
  let ours: readonly string[]

  beforeAll(async () => {
    lab = await startLab({ mode, nodes: 1 })
    hosts = [lab.controller('cc-01'), lab.node('nc-01')]
    await mustPush(lab)
    ours = await rules()
    const [cc, nc] = hosts
    await cc?.run('iptables-restore', { stdin: inBuiltIn(await cc.run('iptables-save')) })
    original = await rules()
    for (const host of [cc, nc]) await host?.run(`rm -rf /var/lib/edgepush\n${DAEMON}`)
    await Promise.all(Object.keys(lab.world().instances).map((id) => lab.boot(id)))
  })
  afterAll(() => lab?.stop())

  it('is the original’s, which serves its instances', async () => {
    expect(original.filter((line) => /EUCA_FORWARD|EUCA_P/.test(line))).toEqual([])
    await expectPackets(lab, 'outside  eip-a     tcp 22     a sees outside')
  })

  it('is refused by a push', async () => {
    const { code, outcomes } = await push(lab)
    expect(code).not.toBe(0)
    expect(Object.values(outcomes).map(({ reason }) => reason)).toEqual([
      expect.stringContaining('take the node over with edgepush adopt'),
      expect.stringContaining('take the node over with edgepush adopt'),
    ])
    expect(await rules()).toEqual(original)
  })

  it('is shown by adopt, and taken over when it is said that it is meant', async () => {
    const shown = await lab.edgepush(['adopt', 'push.yml'])
    expect(shown.code).toBe(3)
    expect(shown.stdout).toMatch(/-A EUCA_FORWARD/)
    expect(await rules()).toEqual(original)

    const forced = await lab.edgepush(['adopt', 'push.yml', '--force', 'difference'])
    expect([forced.code, forced.stderr]).toEqual([0, expect.any(String)])
    expect((await rules()).toSorted()).toEqual([...ours, FOREIGN].toSorted())
    for (const host of hosts) expect(await host.run('pgrep -x eucanetd || echo none')).toBe('none\n')
    await expectPackets(lab, 'outside  eip-a     tcp 22     a sees outside')
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
  })

  it('is given back with everything as it is', async () => {
    const before = await rules()
    const released = await lab.edgepush(['release', 'push.yml'])
    expect(released.code).toBe(0)
    expect(await rules()).toEqual(before)
    await expectPackets(lab, 'outside  eip-a     tcp 22     a sees outside')
  })
})
