/** Encrypted keys as a user meets them. What needs the key is the login at a jump host; nobody logs in behind it. */

import { spawn } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createKey, readPublicKey } from '../node/keys.ts'
import { type Sshd, startSshd } from '../node/sshd.ts'
import { CLI } from './cli.ts'

let bastion: Sshd
let node: Sshd
let key: string

beforeEach(async () => {
  bastion = await startSshd('127.7.16.1', [])
  node = await startSshd('127.7.16.2', [])
  key = createKey(join(bastion.folder, 'secret'), 'open sesame')
  copyFileSync(`${key}.pub`, join(bastion.folder, 'authorized_keys'))
  const hosts = [bastion, node].map(({ name, folder }) => `${name} ${readPublicKey(join(folder, 'host_key'))}\n`)
  writeFileSync(join(bastion.folder, 'hosts'), hosts.join(''))
  const { user, host, port } = bastion.target
  const ssh = `{ key: ./secret, known_hosts: ./hosts, jump: "${user}@${host}:${port}", host: ${node.target.host}, port: ${node.target.port} }`
  writeFileSync(
    join(bastion.folder, 'lab.yml'),
    `cloud: lab\nnodes:\n  nc-01: { role: nc, address: 10.0.0.1, ssh: ${ssh} }\n`,
  )
})

afterEach(() => Promise.all([bastion.stop(), node.stop()]))

async function scan(answer: string | undefined, env: NodeJS.ProcessEnv = {}) {
  const words = [process.execPath, CLI, 'trust', 'scan', '-i', 'lab.yml']
  const [program = '', ...args] = answer === undefined ? words : ['script', '-qec', words.join(' '), '/dev/null']
  const child = spawn(program, args, {
    cwd: bastion.folder,
    env: { PATH: process.env.PATH, EDGEPUSH_STATE: bastion.folder, TERM: 'dumb', ...env },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  if (answer !== undefined) {
    await vi.waitUntil(() => text.includes(`Passphrase of ${key}: `), { timeout: 60_000 })
    child.stdin.write(answer)
  }
  return { code: await ended, text }
}

it('is asked for at the terminal, and not shown', async () => {
  const { code, text } = await scan('open sesame\r')
  expect(text).toContain('known (')
  expect(text).not.toContain('sesame')
  expect(code).toBe(0)
})

it('is not told: ^C, ^D', async () => {
  expect((await scan('\u0003')).code).toBe(130)
  const { code, text } = await scan('\u0004')
  expect(text).toContain('is encrypted, and its passphrase was not told')
  expect(code).toBe(77)
})

it('is in a file', async () => {
  const file = join(bastion.folder, 'passphrase')
  writeFileSync(file, 'open sesame\n', { mode: 0o600 })
  const { code, text } = await scan(undefined, { EDGEPUSH_PASSPHRASE_FILE: file })
  expect(text).toContain('known (')
  expect(code).toBe(0)
})

it('is missing, and nobody is at a terminal', async () => {
  const { code, text } = await scan(undefined)
  expect(text).toContain(`the private key ${key} is encrypted, and nobody is at a terminal to be asked`)
  expect(text).toContain(`ssh-add ${key}; or export EDGEPUSH_PASSPHRASE_FILE=FILE`)
  expect(code).toBe(77)
})
