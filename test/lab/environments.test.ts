// Nodes that are set up as no two are: another /bin/sh, tools of another make, places where nothing may be executed, a
// login environment full of traps. A push works, and executes nothing that others could have written.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { type Dump, dump, shown } from './dump.ts'
import { mustPush, type Pushed, push } from './push.ts'
import { describeLab } from './with-lab.ts'

/** In the node's mount namespace: this machine's /bin/sh stays what it is. */
const shellIs = (shell: string) => `mount --bind ${shell} "$(readlink -f /bin/sh)" && [ /bin/sh -ef ${shell} ]`

/** What the scripts use and busybox has; the last two of them are needed to put the others there. */
const applets =
  'awk basename cat cmp cp cut date diff dirname env find grep head id ln ls mkdir mkfifo mktemp mv ps readlink rm ' +
  'sed setsid sha256sum sleep sort stat sync tail touch tr unshare wc xargs umount mount'
const busyboxTools = `
  for tool in ${applets}; do
    path=$(readlink -f /usr/bin/$tool)
    [ "$path" -ef /bin/busybox ] || busybox mount -o bind /bin/busybox "$path" || exit 1
  done
  [ /usr/bin/sort -ef /bin/busybox ] && [ /usr/bin/awk -ef /bin/busybox ]`

/** Others write there, and wait for somebody to look for a program. */
const open = '/tmp/open'
const traps = `
  mkdir -m 1777 ${open}
  for name in sh cat sed awk ip id env sudo grep sort mktemp flock iptables-restore printf; do
    printf '#!/bin/sh\\ntouch ${open}/ran-%s\\n' $name > ${open}/$name
    chmod 0777 ${open}/$name
  done
  echo 'touch ${open}/ran-rc' > ${open}/rc
  chmod 0666 ${open}/rc
  cat > /root/.bashrc << 'END'
cd ${open}
export LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8 LANGUAGE=de LOCPATH=/tmp/locale POSIXLY_CORRECT=1 IFS=/e CDPATH=${open}
export PATH=${open}:.::$PATH ENV=${open}/rc BASH_ENV=${open}/rc TMPDIR=${open} TMOUT=1 SHELLOPTS GREP_OPTIONS=-v EUCALYPTUS=${open}
cat() { touch ${open}/ran-function; }
sed() { touch ${open}/ran-function; }
export -f cat sed
umask 000
END`

/** A locale in which b stands between A and B, where this machine can make one. */
const locale = `
  [ -d /usr/share/i18n/locales ] || exit 0
  mkdir /tmp/locale
  localedef -i de_DE -f UTF-8 /tmp/locale/de_DE.UTF-8 || :
  [ "$(printf 'B\\nb\\nA\\n' | LOCPATH=/tmp/locale LC_ALL=de_DE.UTF-8 sort | tr -d '\\n')" = AbB ]`

const environments = [
  {
    what: 'executes nothing below /tmp and /var',
    make: `mount -o remount,noexec /tmp && mount --bind /var /var && mount -o remount,bind,noexec /var
      cp /bin/true /tmp/true && ! /tmp/true && cp /bin/true /var/lib/true && ! /var/lib/true && rm /var/lib/true`,
  },
  { what: 'has traps in its login environment', make: traps },
  { what: 'has traps and another order of letters', make: `${traps}\n${locale}` },
  { what: 'has bash as /bin/sh', make: shellIs('/bin/bash') },
  { what: 'has bash as /bin/sh, and traps', make: `${traps}\n${shellIs('/bin/bash')}` },
  { what: 'has dash as /bin/sh', make: shellIs('/bin/dash') },
  { what: 'has busybox as /bin/sh', make: shellIs('/bin/busybox') },
  { what: 'has the tools of busybox', make: busyboxTools },
  { what: 'has the tools of busybox and busybox as /bin/sh', make: `${shellIs('/bin/busybox')}\n${busyboxTools}` },
  { what: 'has the tools of busybox and bash as /bin/sh', make: `${shellIs('/bin/bash')}\n${busyboxTools}` },
] as const

/** sshd reads its configuration when it starts. */
const forced = `
  printf '\\nForceCommand echo "this account is for backups"\\n' >> /etc/ssh/sshd_config
  listening() { grep -c 'Server listening' /run/sshd.log; }
  before=$(listening)
  kill -HUP "$(cat /run/sshd.pid)"
  for _ in $(seq 1000); do [ "$(listening)" -le "$before" ] || exit 0; sleep 0.01; done
  exit 1`

const nameOf = (index: number) => `nc-${String(index + 1).padStart(2, '0')}`
const numbered = environments.map(({ what, make }, index) => ({ what, make, node: nameOf(index) }))
const plain = nameOf(environments.length)
const backups = nameOf(environments.length + 1)

function world(group: string): World {
  const instances = [...numbered.map(({ node }) => node), plain, backups].map(
    (node, index) => [`i-000000${index + 10}`, { node, groups: [group], public: true }] as const,
  )
  return { instances: Object.fromEntries(instances), groups: { [group]: ['tcp 22 from anywhere'] } }
}

describeLab('a node that', () => {
  let lab: Lab
  let pushed: Pushed
  let before: Dump

  beforeAll(async () => {
    lab = await startLab({ nodes: environments.length + 2, world: world('sg-aaaaaaaa') })
    await Promise.all(numbered.map(({ make, node }) => lab.node(node).run(make)))
    await lab.node(backups).run(forced)
    before = await dump(lab.node(backups))
    pushed = await push(lab)
  })
  afterAll(() => lab?.stop())

  it.each(numbered)('$what is served', async ({ node }) => {
    expect(pushed.outcomes[node]).toMatchObject({ status: 'converged', notes: [] })
    expect(await lab.node(node).run('iptables-save')).toContain('-A sg-aaaaaaaa -p tcp -m tcp --dport 22 -j ACCEPT')
  })

  it('runs a command of its own instead is not, and it says why', async () => {
    const { status, reason } = pushed.outcomes[backups] ?? {}
    expect([status, pushed.code]).toEqual(['unreachable', 6])
    expect(reason).toContain('it said: this account is for backups')
    expect(reason).toContain('is a command forced on this key?')
    expect(await dump(lab.node(backups))).toEqual(before)
  })

  const served = [...numbered.map(({ node }) => node), plain]
  const words = served.flatMap((node) => ['--node', node])
  const allServed = (status: string) => Object.fromEntries(served.map((node) => [node, status]))

  it('is any of these is found unchanged, brought to another view, and found unchanged again', async () => {
    expect(await mustPush(lab, words)).toEqual(allServed('unchanged'))
    await lab.publish(world('sg-bbbbbbbb'))
    expect(await mustPush(lab, words)).toEqual(allServed('converged'))
    expect(await mustPush(lab, words)).toEqual(allServed('unchanged'))
  })

  it.each(numbered)('$what keeps what it holds from others, and has run nothing of theirs', async ({ node }) => {
    expect(await lab.node(node).run(`ls -d ${open}/ran-* 2> /dev/null || :`)).toBe('')
    const found = await lab.node(node).run("find /var/lib/edgepush ! -type l -perm /077 -exec ls -ld '{}' ';'")
    expect(found).toBe('')
    expect(await shown(lab.node(node))).toContain('sg-bbbbbbbb')
  })

  it('is not one of these has traps that spring', async () => {
    const node = nameOf(environments.findIndex(({ make }) => make === traps))
    const login = ['ssh', '-i', lab.files.key, '-o', `UserKnownHostsFile=${lab.files.knownHosts}`]
    await lab.admin.run([...login, `root@${lab.node(node).address}`, 'sed p; id'])
    expect(await lab.node(node).run(`cd ${open} && echo ran-*`)).toBe('ran-function ran-id\n')
  })
})
