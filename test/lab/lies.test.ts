// A machine that lies about its MAC, its address, its neighbours or its being a DHCP server, under both profiles.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import { bootAll } from './flows.ts'
import { plugGhost, tellLies } from './lies.ts'
import { all, harden, mustPush } from './push.ts'
import { smallCloud } from './small-cloud.ts'
import { describeLab } from './with-lab.ts'

describeLab.each(['one', 'two'] as const)('a machine that lies, networks: %s', (networks) => {
  let lab: Lab

  beforeAll(async () => {
    lab = await startLab({ nodes: 2, networks, world: smallCloud })
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    await bootAll(lab)
    await plugGhost(lab)
  })
  afterAll(() => lab?.stop())

  it('is heard under its own name only, but by the ports of DHCP, with the original rules', async () => {
    expect(await tellLies(lab, 'compatible')).toEqual([])
  })

  it('is heard under its own name only, with the profile hardened', async () => {
    await harden(lab)
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    expect(await tellLies(lab, 'hardened')).toEqual([])
  })

  it('would be heard without bridge rules, whatever it says', async () => {
    const flush = 'for chain in PRE POST; do ebtables -t nat -F EUCA_EBT_NAT_$chain; done'
    await Promise.all(lab.nodes.map((node) => node.run(flush)))
    // A busy machine may lose a frame; what rules keep back is lost each time.
    let unheard = await tellLies(lab, 'none')
    for (let more = 4; more > 0 && unheard.length > 0; more -= 1) {
      const again = await tellLies(lab, 'none')
      unheard = unheard.filter((lie) => again.includes(lie))
    }
    expect(unheard).toEqual([])
  })
})
