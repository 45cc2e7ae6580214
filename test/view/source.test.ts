/** Views fetched from files and, through a real shell, from what a cloud controller would run. */

import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EXIT } from '../../src/error.ts'
import { inputOf } from '../../src/node/command.ts'
import {
  ConnectionLost,
  NotTrusted,
  type Reply,
  type Target,
  type Transport,
  Unreachable,
} from '../../src/node/transport.ts'
import { fetchView } from '../../src/view/source/fetch-view.ts'

const VIEW = readFileSync(join(import.meta.dirname, 'samples/edge-1cluster-2nc.v5.wire.xml'), 'utf8')

const TARGET: Target = {
  name: 'clc-01',
  host: '192.0.2.1',
  port: 2222,
  user: 'admin',
  key: undefined,
  knownHosts: [],
  connectTimeout: 1000,
}

let folder: string
let file: string
let opened: number
let closed: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'view-'))
  chmodSync(folder, 0o755)
  file = join(folder, `it's a "view" of $HOME.xml`)
  opened = 0
  closed = 0
})

afterEach(() => rmSync(folder, { recursive: true }))

/** A login shell that says something before it runs the command, and afterwards. */
function shell(before = '', user?: number): Transport {
  return {
    connect: async () => {
      opened++
      return {
        run: (command, input) => runShell(`echo Welcome; ${before}\n${command}; echo Goodbye`, input, user),
        whyLost: () => undefined,
        close: () => {
          closed++
        },
      }
    },
  }
}

function runShell(command: string, input: string, uid?: number): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command], uid === undefined ? {} : { uid })
    const output = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? -1, ...output }))
    // A shell may end without having read it.
    child.stdin.on('error', () => undefined).end(input)
  })
}

function fails(error: Error): Transport {
  return { connect: () => Promise.reject(error) }
}

function fetchRemote(transport: Transport) {
  return fetchView({ kind: 'ssh', target: TARGET, file }, transport)
}

const NO_TRANSPORT = fails(new Error('a file needs no transport'))

describe('a file', () => {
  test('is read with the time it was written', async () => {
    writeFileSync(file, VIEW)
    const modified = new Date('2026-01-02T03:04:05Z')
    utimesSync(file, modified, modified)
    expect(await fetchView({ kind: 'file', file }, NO_TRANSPORT)).toEqual({ text: VIEW, origin: file, modified })
  })

  test('that is not there is exit code 66', async () => {
    await expect(fetchView({ kind: 'file', file }, NO_TRANSPORT)).rejects.toMatchObject({
      exitCode: EXIT.noInput,
      message: `there is no file ${file}`,
    })
  })

  test('that is a directory is exit code 66', async () => {
    mkdirSync(file)
    await expect(fetchView({ kind: 'file', file }, NO_TRANSPORT)).rejects.toMatchObject({ exitCode: EXIT.noInput })
  })

  test('that never has the size it claims is exit code 69', async () => {
    file = '/proc/self/status'
    await expect(fetchView({ kind: 'file', file }, NO_TRANSPORT)).rejects.toMatchObject({
      exitCode: EXIT.noSource,
      message: '/proc/self/status was rewritten each of the 5 times it was read',
    })
  })

  test('that is no UTF-8 is exit code 65', async () => {
    writeFileSync(file, Buffer.from([0x3c, 0xff, 0x3e]))
    await expect(fetchView({ kind: 'file', file }, NO_TRANSPORT)).rejects.toMatchObject({
      exitCode: EXIT.badView,
      message: `${file} is not UTF-8 text`,
    })
  })
})

describe('a cloud controller', () => {
  test('sends its file, whatever its login shell says around it', async () => {
    writeFileSync(file, VIEW)
    const modified = new Date(Date.now() - 100_000)
    utimesSync(file, modified, modified)
    const view = await fetchRemote(shell())
    expect(view).toMatchObject({ text: VIEW, origin: `clc-01:${file}` })
    expect(Math.abs((view.modified?.getTime() ?? 0) - modified.getTime())).toBeLessThan(5000)
    expect([opened, closed]).toEqual([1, 1])
  })

  test.each([
    ['nothing', ''],
    ['no line end', '<a/>'],
    ['line ends', '\n\n<a/>\n\n\n'],
    ['characters of several bytes', '<a>\u00e4\u4e16\u{1f300}</a>'],
    ['what looks like a shell', '$(id) `id` \\ %s \n\' " EOF\n'],
  ])('sends a file with %s byte by byte', async (_, text) => {
    writeFileSync(file, text)
    expect((await fetchRemote(shell())).text).toBe(text)
  })

  test('whose file is rewritten while it is read reads it again', async () => {
    writeFileSync(file, '<old/>')
    const transport = withPrelude(`n=0; cat() { command cat "$@"; [ $((n += 1)) -gt 1 ] || echo '<new/>' > "$2"; }`)
    expect((await fetchRemote(transport)).text).toBe('<new/>\n')
  })

  test('whose file is rewritten each time is exit code 69', async () => {
    writeFileSync(file, '<old/>')
    const transport = withPrelude(`sleep() { :; }; cat() { command cat "$@"; echo more >> "$2"; }`)
    await expect(fetchRemote(transport)).rejects.toMatchObject({
      exitCode: EXIT.noSource,
      message: `clc-01:${file} was rewritten each time it was read`,
    })
  })

  test('without the file is exit code 66, with what to type', async () => {
    file = join(folder, 'view.xml')
    await expect(fetchRemote(shell())).rejects.toMatchObject({
      exitCode: EXIT.noInput,
      message: `there is no file clc-01:${file}; only the enabled cloud controller writes it`,
      next: `ssh -p 2222 admin@192.0.2.1 ls -l ${file}`,
    })
    expect([opened, closed]).toEqual([1, 1])
  })

  test('with a directory of that name is exit code 66', async () => {
    mkdirSync(file)
    await expect(fetchRemote(shell())).rejects.toMatchObject({
      exitCode: EXIT.noInput,
      message: `clc-01:${file} is not a file`,
    })
  })

  test('whose file is not for everybody is exit code 77', async () => {
    writeFileSync(file, VIEW)
    chmodSync(file, 0)
    await expect(fetchRemote(shell('', process.getuid?.() === 0 ? 65534 : undefined))).rejects.toMatchObject({
      exitCode: EXIT.noPermission,
      message: `clc-01:${file} may not be read by admin`,
    })
  })

  test('whose file is no UTF-8 is exit code 65', async () => {
    writeFileSync(file, Buffer.from([0x3c, 0xff, 0x3e]))
    await expect(fetchRemote(shell())).rejects.toMatchObject({ exitCode: EXIT.badView })
  })

  test('without the tools is exit code 69', async () => {
    writeFileSync(file, VIEW)
    await expect(fetchRemote(withPrelude('PATH=/nonexistent'))).rejects.toMatchObject({
      exitCode: EXIT.noSource,
      message: expect.stringContaining(`clc-01 did not send ${file}: `),
    })
  })

  test('that runs no command is exit code 69, and its words are shown safely', async () => {
    const transport = shell(`printf 'This account is closed \\033[2J\\n' >&2; exit 1`)
    await expect(fetchRemote(transport)).rejects.toMatchObject({
      exitCode: EXIT.noSource,
      message: `clc-01 did not send ${file}: "This account is closed \\u001b[2J"`,
    })
  })

  test.each([
    ['is unreachable', new Unreachable('192.0.2.1:2222 did not answer within 1 s'), EXIT.noSource],
    ['loses the connection', new ConnectionLost('the connection to 192.0.2.1:2222 was lost'), EXIT.noSource],
  ])('that %s is exit code 69, with what to type', async (_, error, exitCode) => {
    await expect(fetchRemote(fails(error))).rejects.toMatchObject({
      exitCode,
      message: `no view from clc-01: ${error.message}`,
      next: 'ssh -p 2222 admin@192.0.2.1 true',
    })
  })

  test('that is not trusted is exit code 77, with what the transport says', async () => {
    await expect(fetchRemote(fails(new NotTrusted('the key changed', 'edgepush trust clc-01')))).rejects.toMatchObject({
      exitCode: EXIT.noPermission,
      message: 'the key changed',
      next: 'edgepush trust clc-01',
    })
  })

  test('that meets a bug shows the bug', async () => {
    const bug = new TypeError('a bug')
    await expect(fetchRemote(fails(bug))).rejects.toBe(bug)
  })
})

/** Runs the script with functions of ours in front, to be there at the moment between two looks. */
function withPrelude(prelude: string): Transport {
  return {
    connect: async () => ({
      run: (command, input) => runShell(command, inputOf(`${prelude}\n${input.slice(input.indexOf('\n') + 1)}`)),
      whyLost: () => undefined,
      close: () => undefined,
    }),
  }
}
