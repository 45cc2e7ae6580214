// Logins that are not root's: sudo makes them so by one line that names our one command, or it refuses, and that is told.

import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabNode } from '../../lab/make-node.ts'
import type { Station } from '../../lab/probes-from.ts'
import { packageRoot } from '../../lab/start-agent.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { type Dump, dumpAll } from './dump.ts'
import { all, mustPush, type Pushed, push } from './push.ts'
import { breakTool, mendTools, release, waiting } from './sabotage.ts'
import { describeLab } from './with-lab.ts'

const USER = 'push'
const FILE = '/etc/sudoers.d/edgepush'

/** In the node's own /etc and /var. */
const addUser = `useradd --create-home --home-dir /var/push --shell /bin/bash --password '*' ${USER} &&
  mkdir /var/push/.ssh && cp /root/.ssh/authorized_keys /var/push/.ssh/ && chown -R ${USER} /var/push/.ssh`

const worldOf = (lab: number): World => ({
  instances: Object.fromEntries(
    Array.from({ length: lab }, (_, index) => [
      `i-000000${index + 10}`,
      { node: `nc-${String(index + 1).padStart(2, '0')}`, groups: ['sg-aaaaaaaa'] },
    ]),
  ),
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere'] },
})

/** A lab whose nodes are logged in to as a user of no rights, and whose cloud controller has that user, too. */
async function startRestrained(nodes: number): Promise<Lab> {
  const lab = await startLab({ nodes, world: worldOf(nodes) })
  await Promise.all([...lab.nodes, lab.clc].map((host) => host.run(addUser)))
  await inFile(lab.files.inventory, 'user: root', `user: ${USER}, become: sudo`)
  return lab
}

async function inFile(file: string, before: string, after: string): Promise<void> {
  const text = await readFile(file, 'utf8')
  expect(text).toContain(before)
  await writeFile(file, text.replace(before, after))
}

const allow = (host: Station, text: string) => host.run(`cat > ${FILE} && chmod 0440 ${FILE}`, { stdin: text })

async function doctorsLine(lab: Lab): Promise<string> {
  const { code, stdout, stderr } = await lab.edgepush(['doctor', 'push.yml', '--sudoers'])
  expect([code, stderr]).toEqual([0, ''])
  return stdout
}

/** As the user types it there. */
const asUser = (node: LabNode, command: string) =>
  node.exec(['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', 'sh', '-c', command])

describeLab('a push by a user who may run one command as root', () => {
  let lab: Lab
  let node: LabNode

  beforeAll(async () => {
    lab = await startRestrained(2)
    node = lab.node('nc-01')
    const line = await doctorsLine(lab)
    await Promise.all(lab.nodes.map((one) => allow(one, line)))
  })
  afterAll(() => lab?.stop())

  it('converges, and finds itself unchanged', async () => {
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
    expect(await node.run('iptables-save')).toContain('-A sg-aaaaaaaa -p tcp -m tcp --dport 22 -j ACCEPT')
  })

  it('leaves nothing on the node that is not for root alone', async () => {
    const found = await node.run("find /var/lib/edgepush ! -type l -printf '%U %G %y %m %p\\n'")
    const wrong = found
      .trim()
      .split('\n')
      .filter((line) => !/^0 0 (d 700|[fp] 600) /.test(line))
    expect(wrong).toEqual([])
    expect(found).toMatch(/^0 0 f 600 \/var\/lib\/edgepush\/gen\/.*iptables\.restore$/m)
    expect(await asUser(node, 'ls /var/lib/edgepush')).toMatchObject({ code: 2 })
  })

  it('is in good health, says the doctor', async () => {
    const { code, stdout, stderr } = await lab.edgepush(['doctor', 'push.yml'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /^nc-01 {2}login {4}push, root by sudo\nnc-01 {2}probe {4}Eucalyptus 5\.1\.0, holds [0-9a-f]{12}\nnc-01 {2}journal {2}3 lines, whole\n/,
    )
  })

  it.each([
    'sudo -n id',
    'sudo -n /bin/sh',
    'sudo -n /bin/sh -c id',
    `sudo -n /bin/sh -c 'read -r size && eval "$(head -c "$size")"; id'`,
    `sudo -n /bin/sh -c 'read -r size && eval "$(head -c "$size")"' id`,
    `sudo -n /bin/sh -x -c 'read -r size && eval "$(head -c "$size")"'`,
    `sudo -n /bin/bash -c 'read -r size && eval "$(head -c "$size")"'`,
    `sudo -n -u daemon /bin/sh -c 'read -r size && eval "$(head -c "$size")"'`,
    `sudo -n BASH_ENV=/var/push/rc /bin/sh -c 'read -r size && eval "$(head -c "$size")"'`,
    `sudo -n -E /bin/sh -c 'read -r size && eval "$(head -c "$size")"'`,
    'sudo -n -i',
    'sudo -n -e /etc/shadow',
  ])('may not run as root: %s', async (command) => {
    const { code, stdout, stderr } = await asUser(node, `echo 'echo done as $(id -u)' | ${command}`)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^sudo: (a password is required|sorry, you are not allowed to)/)
  })

  it('may run as root what it is allowed to, or the refusals above would say nothing', async () => {
    const command = `printf '21\\necho done as $(id -u)' | sudo -n /bin/sh -c 'read -r size && eval "$(head -c "$size")"'`
    expect(await asUser(node, command)).toEqual({ code: 0, stdout: 'done as 0\n', stderr: '' })
  })

  describe('that is in the middle of a commit', () => {
    let argv: string

    beforeAll(async () => {
      await lab.publish({ ...lab.world(), groups: { 'sg-aaaaaaaa': ['tcp 80 from anywhere'] } })
      await breakTool(node, 'iptables-restore', 'waits')
      const pushing = lab.admin.spawn([process.execPath, `${packageRoot()}/dist/cli.js`, 'push', 'push.yml'], {
        cwd: lab.files.directory,
        env: { EDGEPUSH_STATE: `${lab.files.directory}/lost` },
      })
      const ended = once(pushing, 'close')
      await waiting(node)
      argv = await node.run('ps -ww -eo args')
      lab.admin.kill(pushing)
      await ended
      await release(node)
    })

    it('has shown the one command to everybody on the node, and nothing else of ours', async () => {
      const ours = argv.split('\n').filter((line) => /sudo|eval/.test(line))
      expect(ours).toContain('sudo -n /bin/sh -c read -r size && eval "$(head -c "$size")"')
      expect(argv).toMatch(/^sh \/var\/lib\/edgepush\/gen\/[0-9a-f]{64}\/apply\.sh commit \S+ \d+ 60 [0-9a-f]+$/m)
      const key = (await readFile(lab.files.key, 'utf8')).split('\n').filter((line) => line.length > 20)
      expect(key.length).toBeGreaterThan(2)
      for (const secret of [...key, lab.files.key, 'sg-aaaaaaaa', lab.instance('i-00000010').mac]) {
        expect(argv).not.toContain(secret)
      }
    })

    it('comes to its end on the node when the one who asked for it is gone', async () => {
      await node.run(
        `for _ in $(seq 3000); do pgrep -f 'apply[.]sh commit' > /tmp/left || exit 0; sleep 0.01; done; exit 1`,
      )
      await mendTools(node)
      expect(await node.run('tail -n 1 /var/lib/edgepush/journal')).toContain('committed')
      expect(await node.run('iptables-save')).toContain('--dport 80 -j ACCEPT')
      // Its window is open, and this user may settle it as any other.
      const run = (await node.run("sed -n 's/^run //p' /var/lib/edgepush/pending")).trim()
      expect(await lab.edgepush(['confirm', run, 'push.yml'])).toMatchObject({ code: 0 })
      expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
    })
  })

  it('reads a view that is for root alone by the same line', async () => {
    const view = '/var/run/eucalyptus/global_network_info.xml'
    await lab.clc.run(`chmod 0600 ${view}`)
    await inFile(lab.files.playbook, 'user: root', `user: ${USER}`)
    expect(await push(lab)).toMatchObject({ code: 77, stderr: expect.stringContaining(`may not be read by ${USER}`) })
    await inFile(lab.files.playbook, `user: ${USER}`, `user: ${USER}\n    become: sudo`)
    const { code, stderr } = await push(lab)
    expect(code).toBe(77)
    expect(stderr).toContain(`no view from 10.111.5.10: sudo wants a password from ${USER}`)
    expect(stderr).toContain(await doctorsLine(lab))
    await allow(lab.clc, await doctorsLine(lab))
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
  })
})

interface Refusal {
  readonly what: string
  readonly make: string
  readonly reason: string
  readonly next: string
}

const LINE = `${USER} ALL=(root) NOPASSWD: /bin/sh -c read -r size && eval "$(head -c "$size")"`
const write = (text: string) => `cat > ${FILE} << 'END'\n${text}\nEND\nchmod 0440 ${FILE}`

const refusals: readonly Refusal[] = [
  { what: 'has no line for the user', make: ':', reason: `sudo wants a password from ${USER}`, next: LINE },
  {
    what: 'has a line for another command',
    make: write(`${USER} ALL=(root) NOPASSWD: /usr/bin/id`),
    reason: `sudo wants a password from ${USER}`,
    next: LINE,
  },
  {
    what: 'does not know the user, and asks for no passwords',
    make: write(`Defaults:${USER} !authenticate`),
    reason: `sudo refused ${USER}: ${USER} is not in the sudoers file`,
    next: LINE,
  },
  {
    what: 'does not allow it, and asks for no passwords',
    make: write(`Defaults:${USER} !authenticate\n${USER} ALL=(root) /usr/bin/id`),
    reason: `sudo refused ${USER}: Sorry, user ${USER} is not allowed to execute '/bin/sh -c read -r size && eval "$(head -c "$size")"' as root`,
    next: LINE,
  },
  {
    what: 'wants a terminal',
    make: write(`Defaults requiretty\n${LINE}`),
    reason: `sudo wants a terminal from ${USER} (requiretty)`,
    next: `${FILE} on the node, besides the one for our command: Defaults:${USER} !requiretty`,
  },
  {
    what: 'trusts none of its files',
    make: `${write(LINE)}; chmod 0666 /etc/sudoers`,
    reason: `sudo refused ${USER}: sudo: `,
    next: LINE,
  },
  {
    what: 'is not root itself',
    make: `${write(LINE)}; mount --bind /usr/bin /usr/bin && mount -o remount,bind,nosuid /usr/bin`,
    reason: `sudo refused ${USER}: sudo: effective uid is not 0`,
    next: LINE,
  },
  {
    what: 'is not there',
    make: `mkdir /run/upper /run/work &&
      mount -t overlay overlay -o lowerdir=/usr/bin,upperdir=/run/upper,workdir=/run/work /usr/bin && rm /usr/bin/sudo`,
    reason: 'sudo cannot be run there: /usr/bin/env: ',
    next: 'install sudo on the node, or log in as root: in the inventory\'s ssh map no "become"',
  },
]

const nameOf = (index: number) => `nc-${String(index + 1).padStart(2, '0')}`
const numbered = refusals.map((refusal, index) => ({ ...refusal, node: nameOf(index) }))

describeLab('a node whose sudo', () => {
  let lab: Lab
  let before: Readonly<Record<string, Dump>>
  let after: Readonly<Record<string, Dump>>
  let pushed: Pushed

  beforeAll(async () => {
    lab = await startRestrained(refusals.length)
    await Promise.all(refusals.map(({ make }, index) => lab.node(nameOf(index)).run(make)))
    before = await dumpAll(lab)
    pushed = await push(lab)
    after = await dumpAll(lab)
  })
  afterAll(() => lab?.stop())

  it.each(numbered)('$what is left as it was, and it says why', ({ node, reason, next }) => {
    expect(pushed.outcomes[node]).toMatchObject({
      status: 'refused',
      distrust: true,
      reason: expect.stringContaining(reason),
      next: expect.stringContaining(next),
    })
    expect(after[node]).toEqual(before[node])
  })

  it('makes a push end as permission that is missing, and the doctor too', async () => {
    expect(pushed.code).toBe(77)
    const { code, stdout, stderr } = await lab.edgepush(['doctor', 'push.yml'])
    expect(code).toBe(77)
    for (const { node, reason } of numbered) {
      expect(stdout).toMatch(new RegExp(`^${node} +login +${USER}, root by sudo$`, 'm'))
      expect(stderr).toContain(`${node}: ${reason}`)
    }
  })

  it('lets the push through once what it says is done', async () => {
    const [terminal, none] = [numbered.find(({ what }) => what === 'wants a terminal'), numbered[0]]
    const typed = (name: string | undefined) => pushed.outcomes[name ?? '']?.next?.replace(/^.*?: /, '') ?? ''
    const node = lab.node(terminal?.node ?? '')
    await node.run(`cat >> ${FILE}`, { stdin: `${typed(terminal?.node)}\n` })
    await allow(lab.node(none?.node ?? ''), `${typed(none?.node)}\n`)
    const { code, outcomes } = await push(
      lab,
      [terminal, none].flatMap((one) => ['--node', one?.node ?? '']),
    )
    expect(Object.values(outcomes).map(({ status }) => status)).toEqual(['converged', 'converged'])
    expect(code).toBe(0)
  })
})
