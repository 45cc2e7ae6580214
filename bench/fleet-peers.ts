// What others do with the same nodes: the files of each node's bundle, loaded by one call of each tool. No rehearsal, no
// way back, no read-back, no order; dhcpd is left alone.

import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Lab } from '../lab/make-lab.ts'

export interface Peer {
  readonly name: string
  readonly argv: readonly string[]
  /** Its result on every node, in what it prints. */
  readonly mark: RegExp
}

const LOAD = `ipset restore -exist < ipset.restore && iptables-restore --noflush < iptables.restore &&
ebtables-restore --noflush < ebtables.restore && echo loaded`
/** Where Debian's ansible-mitogen has it. */
const MITOGEN = '/usr/lib/python3/dist-packages/ansible_mitogen/plugins/strategy/mitogen_linear.py'
/** Beyond that only the best cases of others are run. */
const MANY = 20
const FILES = ['ipset.restore', 'iptables.restore', 'ebtables.restore', 'dhcpd.conf']

/** Those that are installed here; `cwd` is where they are to be called. */
export async function peersFor(lab: Lab): Promise<{ readonly cwd: string; readonly peers: readonly Peer[] }> {
  const cwd = join(lab.files.directory, 'peers')
  await mkdir(join(cwd, 'files'), { recursive: true })
  await Promise.all(lab.nodes.map(({ name }) => scriptOf(lab, name).then((text) => write(cwd, name, text))))
  await writeFile(
    join(cwd, 'hosts'),
    lab.nodes.map(({ name, address }) => `${name} ansible_host=${address}\n`).join(''),
  )
  await writeFile(join(cwd, 'addresses'), lab.nodes.map(({ address }) => `${address}\n`).join(''))
  const options = `-o ControlMaster=auto -o ControlPersist=600s -o UserKnownHostsFile=${lab.files.knownHosts} -o BatchMode=yes`
  await writeFile(join(cwd, 'ansible.cfg'), ansibleConfig(lab, cwd, options))
  await writeFile(join(cwd, 'script.yml'), play("    - script: 'files/{{ inventory_hostname }}.sh'\n"))
  const copies = FILES.map(
    (file) => `    - copy: { src: 'files/{{ inventory_hostname }}/${file}', dest: /root/${file} }\n`,
  )
  await writeFile(
    join(cwd, 'modules.yml'),
    play(`${copies.join('')}    - shell: ${JSON.stringify(`cd /root; ${LOAD}`)}\n`),
  )

  const withMitogen = ['ANSIBLE_STRATEGY=mitogen_linear', `ANSIBLE_STRATEGY_PLUGINS=${dirname(MITOGEN)}`]
  const ssh = `ssh ${options} -o ControlPath=${cwd}/%h -i ${lab.files.key}`
  const floor = `paste -d ' ' addresses names | xargs -P ${lab.nodes.length} -L 1 sh -c '${ssh} root@$0 sh < files/$1.sh'`
  await writeFile(join(cwd, 'names'), lab.nodes.map(({ name }) => `${name}\n`).join(''))
  const pssh = `parallel-ssh -i -t 0 -p ${lab.nodes.length} -h addresses -l root -x '${options} -o ControlPath=${cwd}/%h -i ${lab.files.key}' -I < files/nc-01.sh`
  const all: readonly (Peer & { readonly needs: string; readonly isSlow?: boolean })[] = [
    { name: 'floor: ssh, a control socket, one command', needs: 'ssh', argv: ['sh', '-c', floor], mark: /^loaded$/gm },
    { name: 'pssh, the same command', needs: 'parallel-ssh', argv: ['sh', '-c', pssh], mark: /^loaded$/gm },
    {
      name: 'Ansible, one script task',
      needs: 'ansible-playbook',
      argv: ['ansible-playbook', 'script.yml'],
      mark: /ok=1 /g,
    },
    {
      name: 'Ansible, copy and shell',
      isSlow: true,
      needs: 'ansible-playbook',
      argv: ['ansible-playbook', 'modules.yml'],
      mark: /ok=5 /g,
    },
    // It keeps no connection from one command to the next: each of its runs logs in.
    {
      name: 'Ansible with mitogen, one script task',
      isSlow: true,
      needs: MITOGEN,
      argv: ['env', ...withMitogen, 'ansible-playbook', 'script.yml'],
      mark: /ok=1 /g,
    },
    {
      name: 'Ansible with mitogen, copy and shell',
      isSlow: true,
      needs: MITOGEN,
      argv: ['env', ...withMitogen, 'ansible-playbook', 'modules.yml'],
      mark: /ok=5 /g,
    },
  ]
  const peers: Peer[] = []
  for (const { needs, isSlow, ...peer } of all) {
    if (isSlow && lab.nodes.length > MANY) {
      process.stderr.write(`SKIPPED ${peer.name}: with so many nodes it takes many minutes\n`)
      continue
    }
    const { code } = await lab.admin.exec(['sh', '-c', `command -v ${needs} || [ -e ${needs} ]`])
    if (code === 0) peers.push(peer)
    else process.stderr.write(`SKIPPED ${peer.name}: ${needs} is not here\n`)
  }
  return { cwd, peers }
}

async function write(cwd: string, name: string, { script, files }: Payload): Promise<void> {
  await writeFile(join(cwd, 'files', `${name}.sh`), script)
  await mkdir(join(cwd, 'files', name), { recursive: true })
  for (const [file, text] of Object.entries(files)) await writeFile(join(cwd, 'files', name, file), text)
}

interface Payload {
  readonly script: string
  readonly files: Readonly<Record<string, string>>
}

async function scriptOf(lab: Lab, name: string): Promise<Payload> {
  const files: Record<string, string> = {}
  for (const file of FILES) files[file] = await lab.node(name).run(`cat /var/lib/edgepush/current/${file}`)
  const documents = Object.entries(files).map(([file, text]) => `cat > ${file} << 'end-of-file'\n${text}end-of-file\n`)
  return { files, script: `cd /root\n${documents.join('')}${LOAD}\n` }
}

function play(tasks: string): string {
  return `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks}`
}

function ansibleConfig(lab: Lab, cwd: string, ssh: string): string {
  return `[defaults]
forks = ${lab.nodes.length}
inventory = hosts
remote_user = root
private_key_file = ${lab.files.key}
interpreter_python = /usr/bin/python3
[ssh_connection]
pipelining = True
ssh_args = ${ssh}
control_path_dir = ${cwd}/cp
`
}
