/** Connections that are kept between two uses, counted by a real sshd. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type KeptTransport, keptTransport } from '../../src/node/kept.ts'
import { sshTransport } from '../../src/node/ssh.ts'
import type { Connection, Target } from '../../src/node/transport.ts'
import { type Sshd, startSshd } from './sshd.ts'

let sshd: Sshd

beforeAll(async () => {
  sshd = await startSshd('127.0.0.1', [])
})
afterAll(() => sshd.stop())

describe.each([undefined, 'openssh'] as const)('connections that are kept (%s)', (connection) => {
  const ssh = sshTransport({ agent: undefined })
  let kept: KeptTransport
  let target: Target
  let before: number

  afterAll(() => {
    kept.release()
    ssh.close()
  })

  const logins = () => sshd.log().split('Accepted publickey').length - 1
  const begin = () => {
    kept?.release()
    kept = keptTransport(ssh)
    target = { ...sshd.target, connection }
    before = logins()
  }
  const connect = () => kept.connect(target)
  /** The process of sshd that serves it. */
  const server = async (one: Connection) => Number((await one.run('ps -o ppid= -p $$', '', 20_000)).stdout)
  const use = async () => {
    const one = await connect()
    const pid = await server(one)
    one.close()
    return pid
  }

  it('are used again, one after the other: one login', async () => {
    begin()
    const first = await use()
    // How long a login may take is no difference.
    target = { ...target, connectTimeout: 19_000 }
    expect([await use(), await use()]).toEqual([first, first])
    expect(logins() - before).toBe(1)
  })

  it('are new while another is in use, and the newest is the one that is kept', async () => {
    begin()
    const first = await connect()
    const second = await connect()
    const newest = await server(second)
    expect(await server(first)).not.toBe(newest)
    first.close()
    const third = await connect()
    expect([newest, await server(first).catch(() => 'closed')]).toContain('closed')
    third.close()
    second.close()
    expect(logins() - before).toBe(3)
    expect(second.whyLost()).toBeDefined()
    expect(third.whyLost()).toBeUndefined()
  })

  it('are of one target alone', async () => {
    begin()
    const first = await use()
    target = { ...target, name: 'nc-02' }
    expect(await use()).not.toBe(first)
    expect(logins() - before).toBe(2)
  })

  it('are made anew where they were lost meanwhile', async () => {
    begin()
    const one = await connect()
    const pid = await server(one)
    one.close()
    process.kill(pid)
    await vi.waitUntil(() => one.whyLost() !== undefined, { timeout: 30_000 })
    expect(await use()).not.toBe(pid)
    expect(logins() - before).toBe(2)
  })

  it('are closed when nobody will need them any more', async () => {
    begin()
    const idle = await connect()
    idle.close()
    kept.release()
    expect(idle.whyLost()).toBeDefined()
    const used = await connect()
    kept.release()
    expect(used.whyLost()).toBeUndefined()
    used.close()
    expect(used.whyLost()).toBeDefined()
  })
})
