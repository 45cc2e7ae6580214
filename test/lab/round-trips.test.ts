// How often a node is asked in a push: every login and every command is a line of its sshd's log.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import { describeLab } from './with-lab.ts'

describeLab('a push', () => {
  let lab: Lab

  beforeAll(async () => {
    lab = await startLab({ nodes: 1 })
    await lab.node('nc-01').run('echo LogLevel VERBOSE >> /etc/ssh/sshd_config && kill -HUP "$(cat /run/sshd.pid)"')
  })
  afterAll(() => lab?.stop())

  const count = (words: string) => lab.node('nc-01').run(`grep -c '${words}' /run/sshd.log || true`).then(Number)
  const asked = async () => [await count('Accepted publickey'), await count('Starting session: command')] as const

  /** What the push said, and how many logins and commands it took. */
  async function push(...args: readonly string[]) {
    const [logins, commands] = await asked()
    const said = await lab.edgepush(['push', 'push.yml', ...args])
    const [loginsThen, commandsThen] = await asked()
    return { ...said, logins: loginsThen - logins, commands: commandsThen - commands }
  }

  it('of a first bundle is three questions, the last over a second login: the node can still be reached', async () => {
    expect(await push()).toMatchObject({ code: 0, logins: 2, commands: 3 })
  })

  it('of what a node holds already is one question', async () => {
    expect(await push()).toMatchObject({ code: 0, logins: 1, commands: 1 })
  })

  it('says nothing where nothing went wrong and it is to be quiet', async () => {
    expect(await push('--quiet')).toMatchObject({ code: 0, stdout: '', stderr: '' })
  })

  it('tells every step on standard error where it is to be verbose, and its results as ever', async () => {
    const { stdout, stderr } = await push('--verbose')
    expect(stdout).toMatch(/^nc-01 +unchanged /m)
    expect(stderr).toMatch(/probe/)
  })
})
