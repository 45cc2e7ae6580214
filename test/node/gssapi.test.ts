/** A login by a Kerberos ticket and without any key: by the system's `ssh`, at a real KDC. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { sshTransport } from '../../src/node/ssh.ts'
import { NotTrusted, type Target } from '../../src/node/transport.ts'
import { type Child, startChild } from './child.ts'
import { findPort } from './listener.ts'
import { type Sshd, startSshd } from './sshd.ts'

const REALM = 'EDGEPUSH.TEST'
const PROGRAMS = ['krb5kdc', 'kdb5_util', 'kadmin.local', 'kinit']
const missing = PROGRAMS.filter((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0)
if (missing.length > 0) console.error(`SKIPPED: Kerberos is not on this machine: ${missing.join(', ')}`)

describe.skipIf(missing.length > 0)('a login by a ticket', () => {
  let folder: string
  let kdc: Child
  let sshd: Sshd
  let target: Target
  const opened: { close(): void }[] = []

  function file(name: string): string {
    return join(folder, name)
  }

  function admin(...words: readonly string[]): void {
    execFileSync('kadmin.local', ['-r', REALM, ...words], { stdio: 'pipe' })
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'edgepush-kerberos-'))
    const [at, host] = ['127.7.19.1', '127.7.19.2']
    const port = await findPort(at)
    writeFileSync(
      file('krb5.conf'),
      `[libdefaults]
  default_realm = ${REALM}
  dns_lookup_kdc = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  ${REALM} = {
    kdc = ${at}:${port}
  }
`,
    )
    writeFileSync(
      file('kdc.conf'),
      `[logging]
  kdc = STDERR
[kdcdefaults]
  kdc_listen = ${at}:${port}
  kdc_tcp_listen = ${at}:${port}
[realms]
  ${REALM} = {
    database_name = ${file('principal')}
    key_stash_file = ${file('stash')}
    acl_file = ${file('acl')}
  }
`,
    )
    vi.stubEnv('KRB5_CONFIG', file('krb5.conf'))
    vi.stubEnv('KRB5_KDC_PROFILE', file('kdc.conf'))
    vi.stubEnv('KRB5_KTNAME', file('host.keytab'))
    vi.stubEnv('KRB5CCNAME', file('tickets'))
    execFileSync('kdb5_util', ['create', '-r', REALM, '-s', '-P', 'of the database'], { stdio: 'pipe' })
    kdc = await startChild('krb5kdc', ['-n', '-r', REALM], /commencing operation/)
    sshd = await startSshd(host, [
      'GSSAPIAuthentication yes',
      'GSSAPIStrictAcceptorCheck no',
      'PubkeyAuthentication no',
    ])
    const { user } = sshd.target
    admin('addprinc', '-randkey', user)
    admin('ktadd', '-k', file('user.keytab'), user)
    admin('addprinc', '-randkey', `host/${host}`)
    admin('ktadd', '-k', file('host.keytab'), `host/${host}`)
    writeFileSync(file('config'), 'GSSAPIAuthentication yes\n')
    target = { ...sshd.target, key: undefined, leaves: ['key'], config: file('config'), connection: 'openssh' }
  })

  afterEach(() => {
    for (const one of opened.splice(0)) one.close()
  })

  afterAll(async () => {
    await sshd?.stop()
    await kdc?.end()
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  })

  it('is refused without one, with what to type', async () => {
    const transport = sshTransport({ agent: undefined })
    opened.push(transport)
    const refused = transport.connect(target)
    await expect(refused).rejects.toBeInstanceOf(NotTrusted)
    await expect(refused).rejects.toMatchObject({ next: expect.stringContaining('ssh') })
  })

  it('is a connection like any other', async () => {
    execFileSync('kinit', ['-k', '-t', file('user.keytab'), target.user])
    const transport = sshTransport({ agent: undefined })
    opened.push(transport)
    const connection = await transport.connect(target)
    opened.push(connection)
    expect(await connection.run('cat', 'in', 20_000)).toMatchObject({ code: 0, stdout: 'in' })
    expect(sshd.log()).toContain('Accepted gssapi-with-mic')
  })
})
