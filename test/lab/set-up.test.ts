// The set-up of a machine on which something is missing: this one, with a layer over its /usr from which a tool is gone,
// and with an apt-get that has the tool in store. The scripts are as they are.

import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageRoot } from '../../lab/start-agent.ts'
import { describeLab } from './with-lab.ts'

const ROOT = packageRoot()
const SCRIPTS = [
  'lab/demo.sh',
  'lab/set-up.sh',
  'lab/guest/fetch-kernel.sh',
  'lab/guest/make-initramfs.sh',
  'test/run.sh',
  '.ci/run',
]

/** Not root, but able to read what is root's. */
const NOBODY = 'setpriv --reuid=65534 --clear-groups --inh-caps=+dac_override --ambient-caps=+dac_override'

/** A checkout that is set up, as far as these scripts look at it. */
let checkout: string

beforeAll(() => {
  checkout = mkdtempSync(join(tmpdir(), 'edgepush-set-up-'))
  symlinkSync(join(ROOT, 'lab'), join(checkout, 'lab'))
  cpSync(join(ROOT, 'package.json'), join(checkout, 'package.json'))
  const tsc = join(ROOT, 'node_modules/.bin/tsc')
  execFileSync(tsc, ['-p', join(ROOT, 'lab/tsconfig.json'), '--outDir', join(checkout, 'dist/lab')])
})
afterAll(() => rmSync(checkout, { recursive: true }))

const hasShellcheck = spawnSync('shellcheck', ['--version']).status === 0
if (!hasShellcheck) console.error('SKIPPED: shellcheck is not on this machine')
it.skipIf(!hasShellcheck).each(SCRIPTS)('shellcheck objects to nothing in %s', (script) => {
  const { stdout } = spawnSync('shellcheck', ['--norc', '--external-sources', '--severity=warning', script], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  expect(stdout).toBe('')
})

describe('a Node.js that is too old', () => {
  it.each(['v18.20.4', 'v20.18.3', 'v21.7.3', 'v22.11.0'])('is named: %s', (version) => {
    const old = mkdtempSync(join(checkout, 'node-'))
    const claims = `globalThis.process = { versions: { node: '${version.slice(1)}' } }`
    const node = `#!/bin/sh\ncase $1 in --version) echo ${version} ;; *) exec '${process.execPath}' -e "${claims};$2
      require('process').exit(globalThis.process.exitCode)" ;; esac\n`
    writeFileSync(join(old, 'node'), node, { mode: 0o755 })
    const { status, stderr } = setUp('check_node', { PATH: `${old}:${process.env.PATH}` })
    expect(stderr).toBe(`Missing: Node.js ^20.19 or >=22.12; this is ${version}. See https://nodejs.org/en/download\n`)
    expect(status).toBe(1)
  })

  it('is not this one', () => {
    expect(setUp('check_node')).toMatchObject({ status: 0, stderr: '' })
  })
})

describeLab('a machine without ipset', () => {
  const policy = '/usr/sbin/policy-rc.d'

  it('gets its package, and no daemon is started meanwhile or afterwards', () => {
    const { stderr, stdout } = without(
      'ipset',
      `if [ -e ${policy} ]; then echo left; fi; ipset --version > /dev/null && echo there`,
    )
    expect(stderr).toBe('Installing Debian packages: ipset (their services are not started)\n')
    expect(stdout).toBe('install ipset while services may not start: 101\nthere\n')
  })

  it('has its own policy for daemons again, whatever became of apt-get', () => {
    const own = `printf '#!/bin/sh\\n# our own\\nexit 104\\n' > ${policy}; chmod 755 ${policy}`
    for (const end of ['', 'exit 100', 'kill -INT "$PPID"; exit 1']) {
      const { stdout } = without(
        'ipset',
        `cat ${policy}; for left in ${policy}.*; do [ ! -e "$left" ] || echo "$left"; done`,
        own,
        end,
      )
      expect(stdout).toBe('install ipset while services may not start: 101\n#!/bin/sh\n# our own\nexit 104\n')
    }
  })

  it('is told what apt-get said, and goes on without', () => {
    const { status, stderr } = without('ipset', ':', ':', 'echo "E: Unable to locate package" >&2; exit 100')
    expect(stderr).toContain('E: Unable to locate package\n')
    expect(stderr).toContain('Not installed: ipset\n')
    expect(status).toBe(0)
  })

  it('is told where else Ubuntu keeps packages', () => {
    const ubuntu = 'echo ID=ubuntu > /run/os-release && mount --bind /run/os-release /etc/os-release'
    const { stderr } = without('ipset', ':', `mount -t tmpfs tmpfs /run && ${ubuntu}`, 'exit 100')
    expect(stderr).toContain('Not installed: ipset\n  On Ubuntu some are in universe: add-apt-repository universe\n')
  })

  it('is told what to type where the user is not root', () => {
    const { stderr } = without('ipset', ':', ':', '', NOBODY)
    expect(stderr).toBe('Not installed: ipset\n  sudo apt-get install ipset\n')
  })

  it('is told the packages where there is no apt-get', () => {
    const { stderr } = without('ipset', ':', 'rm /usr/bin/apt-get')
    expect(stderr).toBe('Not installed, and no apt-get to do it (names as in Debian): ipset\n')
  })
})

function setUp(words: string, env: NodeJS.ProcessEnv = {}) {
  const argv = ['-c', `. lab/set-up.sh; ${words}`]
  return spawnSync('sh', argv, { cwd: checkout, encoding: 'utf8', env: { ...process.env, ...env } })
}

/** Sets up a machine that lacks the tool; before and after that it does what it is told. */
function without(tool: string, after: string, before = ':', end = '', as = '') {
  const store = mkdtempSync(join(checkout, 'store-'))
  mkdirSync(join(store, 'layer'))
  const binary = spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).stdout.trim()
  cpSync(binary, join(store, tool), { dereference: true })
  const apt = `#!/bin/sh
case "$*" in *install*) ;; *) exit 0 ;; esac
for package; do :; done
${policyOf('$package')}
${end}
cp ${store}/${tool} ${binary}
`
  writeFileSync(join(store, 'apt-get'), apt, { mode: 0o755 })
  const script = `set -e
mount -t tmpfs tmpfs ${store}/layer; mkdir ${store}/layer/up ${store}/layer/work
mount -t overlay overlay -o lowerdir=/usr,upperdir=${store}/layer/up,workdir=${store}/layer/work /usr
rm -f ${binary} /usr/sbin/policy-rc.d; cp ${store}/apt-get /usr/bin/apt-get
${before}
status=0; ${as} sh -c '. lab/set-up.sh; install_debian_packages' || status=$?
if [ -e ${store}/said ]; then cat ${store}/said; fi
${after}
exit $status`
  return spawnSync('unshare', ['--mount', 'sh', '-c', script], { cwd: checkout, encoding: 'utf8' })

  /** What a package's own script would be told when it is about to start a daemon. */
  function policyOf(name: string): string {
    return `/usr/sbin/policy-rc.d; echo "install ${name} while services may not start: $?" > ${store}/said`
  }
}
