/**
 * What the system's `ssh` is told. On its command line, which wins over its files: what the inventory says, and what a run
 * needs whatever is configured: no questions, strict host keys, keep-alive. No secret is ever among it.
 */

import type { AddedAlgorithms } from './algorithms.ts'
import type { Left, Target } from './transport.ts'

/** For the process that makes the connection and keeps it. It says so when it is logged in. */
export function connectArguments(
  target: Target,
  socket: string,
  hopSocket: string | undefined,
  timeout: number,
): readonly string[] {
  const { alias, host, port, user, config, key, knownHosts, algorithms } = target
  const isSaid = (name: Left) => !target.leaves?.includes(name)
  return [
    ...(config === undefined ? [] : ['-F', config]),
    ...['-M', '-S', socket, '-N', '-T', '-l', user, '-p', `${port}`],
    ...options({
      ...ALWAYS,
      ConnectTimeout: `${Math.ceil(timeout / 1000)}`,
      // Not where OpenSSH finds it by itself: `Match host` would be about this one.
      ...(isSaid('host') && { HostName: host }),
      ...(isSaid('knownHosts') && {
        UserKnownHostsFile: knownHosts.map(inQuotes).join(' ') || 'none',
        GlobalKnownHostsFile: 'none',
      }),
      ...(key !== undefined && isSaid('key') && { IdentityFile: inQuotes(key), IdentitiesOnly: 'yes' }),
      ...(hopSocket !== undefined && { ProxyCommand: goOnFrom(hopSocket) }),
      ...(hopSocket === undefined && isSaid('jump') && { ProxyJump: 'none' }),
      ...(algorithms && optionsFor(algorithms)),
    }),
    '--',
    alias ?? host,
  ]
}

/** For a command over that connection. If it is gone there must not be another. */
export function commandArguments(socket: string, command: string): readonly string[] {
  return ['-F', 'none', '-T', '-S', socket, ...options({ LogLevel: 'ERROR', ProxyCommand: 'false' }), 'none', command]
}

/** Run by a shell, which becomes it. The host is the one that this connection is for. */
function goOnFrom(socket: string): string {
  return `ssh -F none -S '${socket}' -o ProxyCommand=false -W '[%h]:%p' none`
}

export const READY = 'edgepush is logged in'

const ALWAYS: Readonly<Record<string, string>> = {
  BatchMode: 'yes',
  StrictHostKeyChecking: 'yes',
  UpdateHostKeys: 'no',
  // Less than this, and a jump host does not say why it goes no further.
  LogLevel: 'INFO',
  ControlPersist: 'no',
  ConnectionAttempts: '1',
  ServerAliveInterval: '5',
  ServerAliveCountMax: '3',
  ForwardAgent: 'no',
  ForwardX11: 'no',
  ClearAllForwardings: 'yes',
  RemoteCommand: 'none',
  PermitLocalCommand: 'yes',
  LocalCommand: `echo ${READY}`,
}

function optionsFor({ keyExchange, ciphers, hostKeys, macs }: AddedAlgorithms): Readonly<Record<string, string>> {
  const added = { KexAlgorithms: keyExchange, Ciphers: ciphers, MACs: macs }
  const lists = Object.entries(added).filter(([, names]) => names.length > 0)
  // What we offer by ourselves, and OpenSSH does not.
  const keys = { HostKeyAlgorithms: ['ssh-rsa', ...hostKeys], PubkeyAcceptedAlgorithms: ['ssh-rsa'] }
  return Object.fromEntries([...lists, ...Object.entries(keys)].map(([name, names]) => [name, `+${names.join(',')}`]))
}

function options(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-o', `${name}=${value}`])
}

/** As ssh_config(5) reads a path; a percent sign would be a token. */
function inQuotes(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`
}
