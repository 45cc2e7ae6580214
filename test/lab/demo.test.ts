/** `npm run demo` as it speaks through a pipe: what it shows, how it ends, and that nothing of it is left. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { packageRoot } from '../../lab/start-agent.ts'
import { describeLab } from './with-lab.ts'

const root = packageRoot()
let built: string
let temporary: string

beforeAll(() => {
  built = mkdtempSync(join(root, 'node_modules', '.demo-test-'))
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  execFileSync(tsc, ['-p', join(root, 'lab', 'tsconfig.json'), '--outDir', built])
})
afterAll(() => rmSync(built, { recursive: true }))

// Of this test alone, so that whatever the demo forgets can be seen.
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'edgepush-demo-test-'))
  return () => rmSync(temporary, { recursive: true })
})

function startDemo(argv: readonly string[] = [], wrapper: readonly string[] = [], more = {}): ChildProcess {
  const [command = '', ...rest] = [...wrapper, process.execPath, join(built, 'demo.js'), ...argv]
  const env = { ...process.env, TMPDIR: temporary, ...more }
  return spawn(command, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function runDemo(argv: readonly string[] = [], wrapper: readonly string[] = [], more = {}) {
  const child = startDemo(argv, wrapper, more)
  const [out, err, [code]] = await Promise.all([
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
    once(child, 'close'),
  ])
  return { code, out, err }
}

/** Waits for a line of its output that contains the words. */
async function lineOf(child: ChildProcess, words: string): Promise<string> {
  if (!child.stdout) throw new Error('no output')
  for await (const line of createInterface({ input: child.stdout })) if (line.includes(words)) return line
  throw new Error(`the demo never said: ${words}`)
}

/** Node to the beginning of the digest of its bundle, from lines such as `nc-01  converged  b63564e9f261  1.3 s`. */
function digestsIn(out: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...out.matchAll(/(nc-\d+) .*?\b([0-9a-f]{12})\b/g)].map(([, node, digest]) => [node, digest]),
  )
}

/** Without what is another in every run, times and the room that they take, and with every edit of the apply script. */
function timeless(out: string): string {
  return out
    .replaceAll(/[\d.]+( to [\d.]+)? (m?s)\b/g, '# $2')
    .replaceAll(/\b[0-9a-f]{12}\b/g, '#')
    .replaceAll(/ +/g, ' ')
}

/** Not root, but able to read a checkout that is root's. */
const nobody =
  process.getuid?.() === 0
    ? ['setpriv', '--reuid=65534', '--clear-groups', '--inh-caps=+dac_override', '--ambient-caps=+dac_override']
    : []

describe('the demo where no lab can run', () => {
  it('says what is missing and renders the sample', async () => {
    const { code, out, err } = await runDemo([], nobody)

    expect(err).toBe('')
    expect(code).toBe(0)
    expect(out).toContain('  root: namespaces, bridges and packet filters need it')
    expect(out).toContain(
      '$ node dist/cli.js render -i lab/sample/inventory.yml --view lab/sample/view.xml --out rendered',
    )
    expect(out).toMatch(/^rendered\/nc-03 +[0-9a-f]{12} +8 files$/m)
    expect(out).toContain('-A sg-aaaaaaaa -p tcp -m tcp --dport 22 -j ACCEPT')
    expect(readdirSync(temporary)).toEqual([])
  })

  it('does so on other systems, too', async () => {
    const elsewhere = "Object.defineProperty(process, 'platform', { value: 'darwin' })"
    const options = `--import=data:text/javascript,${encodeURIComponent(elsewhere)}`
    const { code, out, err } = await runDemo([], [], { NODE_OPTIONS: options })

    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('  Linux: this is darwin')
    expect(out).toMatch(/^rendered\/nc-03 +[0-9a-f]{12} +8 files$/m)
  })

  it('refuses flags that it does not know', async () => {
    const { code, err } = await runDemo(['--kep'])

    expect(code).toBe(64)
    expect(err).toContain("Unknown option '--kep'")
  })
})

describeLab('the demo', () => {
  it.each(['MANAGED', 'MANAGED-NOVLAN', 'STATIC', 'SYSTEM'])('shows a cloud of %s', async (mode) => {
    const { code, out } = await runDemo(['--mode', mode])
    expect(out.trimEnd()).toMatch(/Everything is as it should be\.[^\n]*$/)
    expect([code, readdirSync(temporary)]).toEqual([0, []])
  })

  it('pushes twice, shows that packets do as the groups say, leaves nothing, and is what the README shows', async () => {
    const { code, out, err } = await runDemo()
    const findings = ['DHCP +5 of 5', 'elastic IP, in +2 of 2', 'elastic IP, out +3 of 3', 'metadata +5 of 5']

    expect(err).toBe('')
    expect(out).toContain('3 nodes: 3 converged\n')
    expect(out).toMatch(/^outside 192\.0\.2\.7 +22 80 ···· ·· ping +·· ·· ···· ·· ···· +·· ·· ···· ·· ····$/m)
    expect(out).toMatch(/^i-0b0b0b0b nc-02 +22 80 3306 53 ping +·· ·· 3306 53 ···· +·· ·· ···· ·· ····$/m)
    expect(out).toMatch(/^i-0e0e0e0e nc-02 +22 80 ···· ·· ping +·· ·· ···· 53 ···· +itself$/m)
    expect(out).toContain('125 questions asked, 54 answered, 71 met silence: all as the groups say')
    for (const words of [...findings, 'forged MAC +5 of 5', 'forged IP +5 of 5']) {
      expect(out).toMatch(new RegExp(`^${words} `, 'm'))
    }
    expect(out).toContain('3 nodes: 3 unchanged\n')
    expect(out).toContain('Everything is as it should be.')
    expect(code).toBe(0)

    expect(readdirSync(temporary)).toEqual([])
    expect(out.split('\n').length).toBeLessThanOrEqual(45)
    expect(out.split('\n').filter((line) => line.length > 100)).toEqual([])
    expect(digestsIn((await runDemo([], nobody)).out)).toEqual(digestsIn(out))

    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    const shown = readme.split('\n$ npm run -s demo\n')[1]?.split('```')[0] ?? ''
    expect(timeless(out)).toBe(timeless(shown))
  })

  it.each(['A cloud in namespaces', 'questions asked'])('leaves nothing when interrupted after: %s', async (words) => {
    const child = startDemo()
    const ended = once(child, 'close')
    await lineOf(child, words)
    expect(readdirSync(temporary)).toEqual([expect.stringContaining('edgepush-lab-')])
    child.kill('SIGINT')

    expect(await ended).toEqual([130, null])
    expect(readdirSync(temporary)).toEqual([])
  })

  it('stays with --keep, lets one in, and leaves nothing after Ctrl-C', async () => {
    const child = startDemo(['--keep'])
    const ended = once(child, 'close')
    const directory = /cd (\S+)/.exec(await lineOf(child, '  cd '))?.[1] ?? ''
    const inLab = (command: string, ...argv: readonly string[]) =>
      execFileSync(join(directory, command), argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })

    expect(inLab('enter', 'nc-02', 'hostname')).toBe('nc-02\n')
    expect(inLab('enter', 'outside', 'busybox', 'wget', '-qO-', 'http://10.111.200.1')).toContain('"by":"i-0a0a0a0a"')
    inLab('enter', 'nc-01', 'iptables', '-F', 'EUCA_FILTER_FWD')
    expect(inLab('edgepush', 'status', 'push.yml', '--live')).toMatch(/nc-01 .* differs: iptables/)
    expect(inLab('edgepush', 'push', 'push.yml')).toContain('1 converged, 2 unchanged')

    const hosts = [...readFileSync(join(directory, 'enter'), 'utf8').matchAll(/pid=(\d+) ;;/g)].map(([, pid]) => pid)
    expect(hosts.length).toBeGreaterThan(10)
    child.kill('SIGINT')
    expect(await ended).toEqual([0, null])
    expect(readdirSync(temporary)).toEqual([])
    expect(hosts.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([])
  })
})
