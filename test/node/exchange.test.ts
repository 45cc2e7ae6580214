/** Questions to every shell that a node may have as /bin/sh, over lines that lose and add things. */

import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, said, Unintelligible } from '../../src/node/exchange.ts'
import { ConnectionLost } from '../../src/node/transport.ts'
import { shells } from '../shells.ts'
import { type Habits, shellConnection } from './shell-connection.ts'

const TIMEOUT = 60_000
const SCRIPT = "echo one two three\necho\nprintf 'word  with blanks '\nexit 7\n"
const ANSWER = {
  status: 7,
  lines: [
    { word: 'one', text: 'two three' },
    { word: 'word', text: ' with blanks ' },
  ],
}

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-exchange-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

describe.each(shells())('%s', (shell) => {
  const question = (script: string, habits: Habits = {}) => {
    return ask(shellConnection({ shell: String(shell), ...habits }), script, TIMEOUT)
  }

  it('answers', async () => {
    expect(await question(SCRIPT)).toEqual(ANSWER)
  })

  it.each([
    ['before', 'echo "Welcome to nc-01"; "$@"'],
    ['before, without a newline', 'printf "Last login: today"; "$@"'],
    ['after', '"$@"; echo "Good bye"'],
    ['after, without a newline', '"$@"; printf "Good bye"'],
    ['with our words', 'echo begin; echo "edgepush begin"; echo "edgepush end 0"; echo one; "$@"; echo "end 0"'],
    ['on the other stream', 'echo "no mail" >&2; "$@"; echo "logout" >&2'],
    ['with every byte', `awk 'BEGIN { for (i = 0; i < 256; i++) printf "%c", i }'; "$@"`],
    ['without end', 'yes begin | head -n 100000; "$@"'],
  ])('is heard through noise %s', async (_, login) => {
    expect(await question(SCRIPT, { login })).toEqual(ANSWER)
  })

  it.each([0, 1, 20, 99, 126, 127, 255])('tells the exit status %i', async (status) => {
    expect(await question(`exit ${status}`)).toEqual({ status, lines: [] })
  })

  it('tells the status of a script that was killed', async () => {
    const { status } = await question("exec sh -c 'kill -9 $$'")
    expect(status).toBe(137)
  })

  it('gives a script no input: the rest of the question is not for it', async () => {
    expect(await question('cat; read line; echo "read $?"')).toMatchObject({ lines: [{ word: 'read', text: '1' }] })
  })

  it('does nothing of a script that is no shell', async () => {
    const file = join(folder, `broken.${String(shell)}`)
    await expect(question(`touch '${file}'\nfi\n`)).rejects.toThrow(Unintelligible)
    expect(existsSync(file)).toBe(false)
  })

  it('does nothing when the first line is eaten', async () => {
    const file = join(folder, `eaten.${String(shell)}`)
    const login = 'read -r line; exec "$@"'
    await expect(question(`touch '${file}'`, { login })).rejects.toThrow(/does the login shell read/)
    expect(existsSync(file)).toBe(false)
  })

  it('does nothing of a question that is cut off, wherever that is', async () => {
    const file = join(folder, `cut.${String(shell)}`)
    const script = `cat > '${file}' << 'end'\n$text\nend\necho done; echo "\${x:-"}"}" > '${file}'`
    let whole = 0
    const measure = (input: string) => {
      whole = input.length
      return input
    }
    await question(script, { input: measure })
    expect(existsSync(file)).toBe(true)
    rmSync(file)

    const limit = pLimit(4)
    // The last character is the newline after the closing brace: without it the question is whole.
    const lengths = Array.from({ length: whole - 1 }, (_, length) => length)
    const errors = await Promise.all(
      lengths.map((length) => {
        const habits = { input: (input: string) => input.slice(0, length) }
        return limit(() => question(script, habits).then(() => `an answer to ${length} characters`, nameOf))
      }),
    )
    expect(errors.filter((error) => error !== 'Unintelligible')).toEqual([])
    expect(existsSync(file)).toBe(false)
  })

  it('takes a here-document of 3 MB whole', async () => {
    const line = `-A EUCA_FILTER_FWD -m set --match-set sg-0000000a dst -j sg-0000000a # '"$x\`\\ `
    const text = `${Array.from({ length: 40_000 }, (_, index) => `${line}${index}`).join('\n')}\n`
    expect(text.length).toBeGreaterThan(3_000_000)
    const file = join(folder, `huge.${String(shell)}`)
    const began = performance.now()
    const answer = await question(`cat > '${file}' << 'end-of-file'\n${text}end-of-file\nsha256sum < '${file}'`)
    console.log(`${shell}: ${text.length} bytes in ${Math.round(performance.now() - began)} ms`)
    expect(answer).toEqual({
      status: 0,
      lines: [{ word: createHash('sha256').update(text).digest('hex'), text: ' -' }],
    })
    expect(readFileSync(file, 'utf8') === text).toBe(true)
  })
})

it('a reply that is cut off is no answer, wherever that is', async () => {
  const whole = await replyTo(SCRIPT)
  const begun = whole.indexOf(' begin\n') + ' begin\n'.length
  const limit = pLimit(4)
  const names = await Promise.all(
    Array.from({ length: whole.length }, (_, length) => {
      const connection = shellConnection({ output: (stdout) => stdout.slice(0, length) })
      return limit(() => ask(connection, SCRIPT, TIMEOUT).then(() => 'an answer', nameOf))
    }),
  )
  expect(new Set(names.slice(0, begun))).toEqual(new Set(['Unintelligible']))
  expect(new Set(names.slice(begun))).toEqual(new Set(['ConnectionLost']))
})

it('an earlier answer is not taken for this one', async () => {
  const earlier = await replyTo(SCRIPT)
  const echo = shellConnection({ output: () => earlier })
  await expect(ask(echo, SCRIPT, TIMEOUT)).rejects.toThrow(Unintelligible)
  const both = shellConnection({ output: (stdout) => earlier + stdout })
  expect(await ask(both, 'exit 3', TIMEOUT)).toEqual({ status: 3, lines: [] })
})

it.each([
  ['a forced command', 'echo "This account is for backups only."; exit 1', /exit status 1.*backups only/],
  ['a login shell that is none', 'exit 0', /exit status 0\)/],
  ['one that only says begin', 'echo begin', /exit status 0, it said: begin/],
])('%s is told as such', async (_, login, message) => {
  await expect(ask(shellConnection({ login }), SCRIPT, TIMEOUT)).rejects.toThrow(message)
})

/** Whole, with its marks and what is around them. */
async function replyTo(script: string): Promise<string> {
  let reply = ''
  const output = (stdout: string) => {
    reply = stdout
    return stdout
  }
  expect(said(await ask(shellConnection({ output }), script, TIMEOUT), 'one')).toEqual(['two three'])
  return reply
}

function nameOf(error: unknown): string {
  if (error instanceof Unintelligible) return 'Unintelligible'
  return error instanceof ConnectionLost ? 'ConnectionLost' : String(error)
}
