// The lab's files: all in one temporary directory, which goes with the lab.
//
//   admin/id_ed25519  known_hosts  inventory.yml  push.yml    for the CLI
//   HOST/...          a tree that is copied over the host's own / when it is set up
//   HOST.sh  HOST.sh.log                                      how it is set up, and what that said

import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { LabPlan, NodePlan } from './plan-lab.ts'
import type { ControllerPlan, LabMode } from './plan-managed.ts'
import { leaseScript, leaseScriptFile } from './request-lease.ts'

export interface LabFiles {
  readonly directory: string
  readonly key: string
  readonly knownHosts: string
  readonly inventory: string
  readonly playbook: string
}

interface Named {
  readonly name: string
  readonly address: string
}

/** Where the cloud controller publishes the view. */
export const viewFile = '/var/run/eucalyptus/global_network_info.xml'

const sshdConfig = `Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /root/.ssh/authorized_keys .ssh/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
StrictModes no
PrintMotd no
MaxStartups 200
MaxSessions 100
PidFile /run/sshd.pid
Subsystem sftp internal-sftp
`

export async function writeFiles(directory: string, plan: LabPlan, view: string): Promise<LabFiles> {
  const key = join(directory, 'admin', 'id_ed25519')
  const served = [...plan.nodes, ...plan.controllers, plan.clc]
  const hostKeys = served.map(({ name }) => join(directory, name, 'etc', 'ssh', 'ssh_host_ed25519_key'))
  await makeKeys([key, ...hostKeys])
  const authorized = await readFile(`${key}.pub`, 'utf8')
  const publicKeys = await Promise.all(hostKeys.map((file) => readFile(`${file}.pub`, 'utf8')))
  const knownHosts = served.map(({ address }, index) => `${address} ${publicKeys[index] ?? ''}`).join('')

  const files = {
    directory,
    key,
    knownHosts: join(directory, 'known_hosts'),
    inventory: join(directory, 'inventory.yml'),
    playbook: join(directory, 'push.yml'),
  }
  await Promise.all([
    ...served.map((host) => writeTree(join(directory, host.name), { ...sshTree(authorized), ...hostsTree(host) })),
    ...[...plan.nodes, ...plan.controllers].map((host) => {
      return writeTree(join(directory, host.name), hostTree(host, plan.mode))
    }),
    writeTree(join(directory, plan.clc.name), { [viewFile.replace('/var/', '')]: view }),
    writeTree(directory, {
      known_hosts: knownHosts,
      'inventory.yml': inventoryText(plan, files),
      'push.yml': playbookText(plan, files),
      [leaseScriptFile]: leaseScript,
    }),
  ])
  await chmod(join(directory, leaseScriptFile), 0o755)
  return files
}

export async function writeScript(directory: string, host: string, script: string): Promise<string> {
  const file = join(directory, `${host}.sh`)
  await writeFile(file, script)
  return file
}

export async function makeKeys(files: readonly string[]): Promise<void> {
  await Promise.all(files.map((file) => mkdir(dirname(file), { recursive: true })))
  const keygen = (file: string) => ['-q', '-t', 'ed25519', '-N', '', '-C', `lab ${basename(file)}`, '-f', file]
  await Promise.all(files.map((file) => promisify(execFile)('ssh-keygen', keygen(file))))
}

async function writeTree(root: string, tree: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(tree)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
}

function sshTree(authorized: string): Readonly<Record<string, string>> {
  return { 'etc/ssh/sshd_config': sshdConfig, 'root/.ssh/authorized_keys': authorized }
}

/** Who cannot look up its own name waits for name servers that are not there; sudo does so each time. */
function hostsTree({ name, address }: Named): Readonly<Record<string, string>> {
  return { 'etc/hosts': `127.0.0.1 localhost\n${address} ${name}\n` }
}

function hostTree(host: NodePlan | ControllerPlan, mode: LabMode): Readonly<Record<string, string>> {
  const options = { EUCALYPTUS: '/', VNET_MODE: mode, VNET_DHCPDAEMON: '/usr/sbin/dhcpd', ...host.options }
  const conf = Object.entries(options).map(([name, value]) => `${name}="${value}"\n`)
  return {
    'etc/eucalyptus/eucalyptus.conf': conf.join(''),
    'etc/eucalyptus/eucalyptus-version': '5.1.0\n',
  }
}

function inventoryText(plan: LabPlan, files: LabFiles): string {
  const options = (host: NodePlan | ControllerPlan | undefined) => {
    return Object.entries(host?.options ?? {}).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  }
  return [
    'cloud: lab',
    'defaults:',
    '  role: nc',
    `  ssh: { user: root, key: ${files.key}, known_hosts: ${files.knownHosts} }`,
    `  options: { ${options(plan.controllers.length > 0 ? undefined : plan.nodes[0]).join(', ')} }`,
    'nodes:',
    ...plan.nodes.map((node) => {
      const own = plan.controllers.length > 0 ? `, options: { ${options(node).join(', ')} }` : ''
      return `  ${node.name}: { address: ${node.address}${own} }`
    }),
    ...plan.controllers.map((controller) => {
      return `  ${controller.name}: { address: ${controller.address}, role: cc, options: { ${options(controller).join(', ')} } }`
    }),
    '',
  ].join('\n')
}

function playbookText(plan: LabPlan, files: LabFiles): string {
  return [
    'name: push',
    'inventory: ./inventory.yml',
    'source:',
    '  ssh:',
    `    host: ${plan.clc.address}`,
    '    user: root',
    `    key: ${files.key}`,
    `    known_hosts: ${files.knownHosts}`,
    `    file: ${viewFile}`,
    'stages:',
    `  - { name: all, targets: [all], parallel: ${Math.min(plan.nodes.length + plan.controllers.length, 32)} }`,
    '',
  ].join('\n')
}
