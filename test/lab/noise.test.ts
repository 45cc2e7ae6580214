// Login shells that say more than they are asked, or read what is not for them: a push works, or says what is wrong. It
// never takes such a node for one that was served.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { type Dump, dumpAll } from './dump.ts'
import { mustPush, type Pushed, push } from './push.ts'
import { describeLab } from './with-lab.ts'

/** bash reads ~/.bashrc when sshd starts it for a command. */
const rc = (text: string) => `cat > /root/.bashrc << 'END'\n${text}\nEND`
const shell = (path: string) =>
  `sed -i 's|^\\(root:.*:\\)[^:]*$|\\1${path}|' /etc/passwd && grep -qx '${path}' /etc/shells || echo '${path}' >> /etc/shells`

interface Noise {
  readonly what: string
  readonly make: string
  /** Absent where the push has to work. */
  readonly reason?: string
}

const noises: readonly Noise[] = [
  { what: 'greets', make: rc('echo "Welcome to nc-01"; echo "last login: never" >&2') },
  { what: 'greets without an end of line', make: rc('printf "Welcome: "; printf "(no newline)" >&2') },
  {
    what: 'greets with a megabyte',
    make: rc('head -c 1048576 /dev/zero | tr "\\0" "x"; head -c 200000 /dev/zero | tr "\\0" "y" >&2'),
  },
  {
    what: 'greets with what looks like an answer',
    make: rc('echo "current 0000000000000000"; echo "held yes"; echo "error nothing"; echo "state committed"'),
  },
  {
    what: 'says goodbye',
    make: `${rc('trap "echo bye; printf goodbye" EXIT')}; echo 'echo logged out' > /root/.bash_logout`,
  },
  {
    what: 'has a message of the day',
    make: 'echo "maintenance tonight" > /etc/motd; sed -i s/PrintMotd.no/PrintMotd\\ yes/ /etc/ssh/sshd_config',
  },
  {
    what: 'sets options and aliases',
    make: rc(
      'set -u; set -o noclobber; alias sh=false cat=false ip=false; export POSIXLY_CORRECT=1 LC_ALL=de_DE.UTF-8 IFS=x',
    ),
  },
  {
    what: 'puts other tools first',
    make: `mkdir /root/bin; printf '#!/bin/sh\\nexit 1\\n' > /root/bin/awk; chmod +x /root/bin/awk; ${rc('export PATH=/root/bin:$PATH')}`,
  },
  { what: 'is a restrained one', make: rc('umask 0777; ulimit -f 4096') },
  { what: 'is the one of busybox', make: `ln -s /bin/busybox /root/ash && ${shell('/root/ash')}` },
  { what: 'is dash', make: shell('/bin/dash') },
  { what: 'reads a line of what is not for it', make: rc('read -r line'), reason: 'did not run our script' },
  { what: 'reads all of what is not for it', make: rc('cat > /dev/null'), reason: 'did not run our script' },
  {
    what: 'ends before it has begun',
    make: rc('echo "this account is for backups"; exit 0'),
    reason: 'this account is for backups',
  },
  {
    what: 'ends with an error',
    make: rc('echo "no space left" >&2; exit 7'),
    reason: 'exit status 7, it said: no space left',
  },
  { what: 'becomes another program', make: rc('exec cat'), reason: 'did not run our script' },
  { what: 'lets nobody in', make: shell('/usr/sbin/nologin'), reason: 'This account is currently not available' },
  { what: 'is not there', make: shell('/bin/no-shell'), reason: 'refused the login as root' },
]

const nameOf = (index: number) => `nc-${String(index + 1).padStart(2, '0')}`
const world: World = {
  instances: Object.fromEntries(
    noises.map((_, index) => [`i-000000${index + 10}`, { node: nameOf(index), groups: ['sg-aaaaaaaa'] }]),
  ),
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere'] },
}

describeLab('a node whose login shell', () => {
  let lab: Lab
  let before: Readonly<Record<string, Dump>>
  let after: Readonly<Record<string, Dump>>
  let pushed: Pushed

  beforeAll(async () => {
    lab = await startLab({ nodes: noises.length, world })
    await Promise.all(noises.map(({ make }, index) => lab.node(nameOf(index)).run(make)))
    before = await dumpAll(lab)
    pushed = await push(lab)
    after = await dumpAll(lab)
  })
  afterAll(() => lab?.stop())

  const numbered = noises.map((noise, index) => ({ ...noise, node: nameOf(index) }))

  it.each(numbered.filter(({ reason }) => reason === undefined))('$what is served', ({ node }) => {
    expect(pushed.outcomes[node]).toMatchObject({ status: 'converged', notes: [] })
    expect(after[node]?.iptables).toContain('-A sg-aaaaaaaa -p tcp -m tcp --dport 22 -j ACCEPT')
  })

  it.each(numbered.filter(({ reason }) => reason !== undefined))(
    '$what is not, and it says why',
    ({ node, reason }) => {
      const { status, reason: told } = pushed.outcomes[node] ?? {}
      expect(['unreachable', 'refused']).toContain(status)
      expect(told).toContain(reason)
      expect(after[node]).toEqual(before[node])
    },
  )

  it('is found unchanged by the next push, and held', async () => {
    const served = numbered.filter(({ reason }) => reason === undefined).flatMap(({ node }) => ['--node', node])
    expect(Object.values(await mustPush(lab, served))).toEqual(
      served.filter((word) => word !== '--node').map(() => 'unchanged'),
    )
    const { stdout } = await lab.edgepush(['status', 'push.yml', '--live', ...served])
    expect(stdout.match(/ holds [0-9a-f]{12}$/gm)).toHaveLength(served.length / 2)
  })

  it('is served when it is quiet again', async () => {
    await Promise.all(
      lab.nodes.map((node) => node.run(`rm -f /root/.bashrc /root/.bash_logout; ${shell('/bin/bash')}`)),
    )
    expect(Object.keys(await mustPush(lab))).toHaveLength(noises.length)
  })
})
