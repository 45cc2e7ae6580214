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

  it('are closed when they are given back in the middle of a command', async () => {
    begin()
    const one = await connect()
    const lost = expect(one.run('read -r _', '', 60_000, () => undefined)).rejects.toThrow()
    one.close()
    await lost
    expect(one.whyLost()).toBeDefined()
  })

  it('are closed when another came while they were idle, or when it came too late', async () => {
    begin()
    let open: (() => void) | undefined
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    let isFirst = true
    kept = keptTransport({
      async connect(to) {
        const waits = isFirst
        isFirst = false
        const made = await ssh.connect(to)
        if (waits) await gate
        return made
      },
    })
    const late = connect()
    const idle = await connect()
    idle.close()
    expect(idle.whyLost()).toBeUndefined()
    open?.()
    const last = await late
    expect(idle.whyLost()).toBeDefined()
    kept.release()
    last.close()
    expect(last.whyLost()).toBeDefined()

    isFirst = true
    const tooLate = connect()
    kept.release()
    const unwanted = await tooLate
    unwanted.close()
    expect(unwanted.whyLost()).toBeDefined()
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
