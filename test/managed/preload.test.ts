// Rules that an administrator keeps for a controller: shown, never loaded or changed, and what is missing of them is told.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import { push } from '../lab/push.ts'
import { describeLab } from '../lab/with-lab.ts'

const FILE = '/etc/eucalyptus/iptables-preload'
const RULES = '*filter\n-A FORWARD -s 10.99.0.0/16 -j ACCEPT\n-A INPUT -p tcp --dport 9999 -j DROP\nCOMMIT\n'

describeLab('iptables-preload', () => {
  let lab: Lab
  const cc = () => lab.controller('cc-01')

  beforeAll(async () => {
    lab = await startLab({ mode: 'MANAGED-NOVLAN', nodes: 1 })
    await cc().run(`cat > ${FILE}`, { stdin: RULES })
  })
  afterAll(() => lab?.stop())

  it('is shown beside what the host should hold', async () => {
    const { code, stdout } = await lab.edgepush(['render', 'push.yml', '--node', 'cc-01', '--node', 'nc-01'])
    expect(code).toBe(0)
    expect(stdout).toContain(`==> cc-01/iptables-preload <==\n${RULES}`)
    expect(stdout).not.toContain('nc-01/iptables-preload')
  })

  it('is told of when the kernel does not have it, and not loaded', async () => {
    const { code, outcomes } = await push(lab)
    expect(code).toBe(0)
    expect(outcomes['cc-01']?.notes.join('\n')).toContain(
      `the kernel does not have 2 of the rules of ${FILE}; to load it: iptables-restore --noflush < ${FILE}`,
    )
    expect(await cc().run('iptables-save')).not.toMatch(/10\.99\.0\.0|9999/)
    expect(await cc().run(`cat ${FILE}`)).toBe(RULES)
  })

  it('loaded as it was told, it stands beside ours and nothing more is said', async () => {
    await cc().run(`iptables-restore --noflush < ${FILE}; iptables -D EUCA_FORWARD 1`)
    const { outcomes } = await push(lab)
    expect(outcomes['cc-01']).toMatchObject({ status: 'converged', notes: [] })
    expect(await cc().run('iptables-save')).toMatch(/^-A FORWARD -s 10\.99\.0\.0\/16 -j ACCEPT$/m)
  })
})
