// What is reviewed, recorded and kept holds nothing that is secret: neither the key of the admin, nor what a node's own
// configuration has besides the options of the mode.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import { push } from './push.ts'
import { describeLab } from './with-lab.ts'

const PASSWORD = 'correct-horse-battery'

describeLab('a push', () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await startLab({ nodes: 1 })
    await lab.node('nc-01').run(`echo 'DB_PASSWORD="${PASSWORD}"' >> /etc/eucalyptus/eucalyptus.conf`)
  })
  afterAll(() => lab?.stop())

  it('leaves no secret in what it prints, records and keeps', async () => {
    const key = readFileSync(lab.files.key, 'utf8').split('\n')[2] ?? ''
    expect(key).toMatch(/^[\w+/=]{40,}$/)
    const pushed = await push(lab, ['-v'])
    const { stdout } = await lab.edgepush(['push', 'push.yml', '-v'])
    const told = JSON.stringify(pushed) + stdout
    const record = await lab.admin.run('find ~/.local/state/edgepush -type f -exec cat {} +')
    const node = lab.node('nc-01')
    const kept = await node.run('find /var/lib/edgepush -type f -exec cat {} +')
    expect([pushed.code, record.includes('nc-01'), kept.includes('EUCA_FILTER_FWD')]).toEqual([0, true, true])
    for (const text of [told, record, kept]) expect(text.includes(PASSWORD) || text.includes(key)).toBe(false)
  })
})
