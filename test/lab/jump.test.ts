// Pushes to nodes that the admin host cannot reach by itself: through the cloud controller, by either client.

import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import { all, mustPush, push } from './push.ts'
import { describeLab } from './with-lab.ts'

/** The admin host's own packets to sshd, but for those to the cloud controller, are refused. */
const closed = (clc: string) => `iptables -A OUTPUT -p tcp --dport 22 ! -d ${clc} -j REJECT --reject-with tcp-reset`

describeLab.each([
  ['our own client', ''],
  ["the system's ssh", ', connection: openssh'],
])('behind a jump host, by %s', (_, connection) => {
  let lab: Lab
  let inventory: string
  let clc: string

  beforeAll(async () => {
    lab = await startLab({ nodes: 3 })
    inventory = await readFile(lab.files.inventory, 'utf8')
    const playbook = await readFile(lab.files.playbook, 'utf8')
    clc = /host: ([\d.]+)/.exec(playbook)?.[1] ?? ''
    await lab.admin.run(closed(clc))
  })
  afterAll(() => lab?.stop())

  it('is reached through it, and only so', async () => {
    const direct = await push(lab)
    expect(Object.values(direct.outcomes).map(({ status }) => status)).toEqual(Array(3).fill('unreachable'))

    const jump = inventory.replace('user: root', `user: root, jump: "root@${clc}"${connection}`)
    expect(jump).not.toBe(inventory)
    await writeFile(lab.files.inventory, jump)
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
  })
})
