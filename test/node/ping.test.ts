import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ping } from '../../src/node/ping.ts'

const path = process.env.PATH
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-ping-'))
  symlinkSync('/bin/busybox', join(folder, 'ping'))
})
afterEach(() => {
  process.env.PATH = path
  rmSync(folder, { recursive: true })
})

it('hears an answer', async () => {
  process.env.PATH = folder
  expect(await ping('127.0.0.1', 1_000)).toBe('answered')
})

it('tells of what is no host', async () => {
  process.env.PATH = folder
  expect(await ping('no.such.host.invalid', 1_000)).toMatchObject({ message: expect.stringContaining('invalid') })
})

it('says that there is no ping', async () => {
  process.env.PATH = '/nonexistent'
  expect(await ping('127.0.0.1', 1_000)).toMatchObject({ message: 'there is no ping on this host' })
})
