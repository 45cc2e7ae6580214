/**
 * What an inventory leaves to a file of ssh_config(5), filled in. What the inventory says always wins; nothing is asked
 * about a node whose inventory names no such file, or leaves nothing to it.
 */

import type { AskConfig, ConfiguredHost } from './openssh-config.ts'
import { type Left, NotTrusted, type Target } from './transport.ts'

export async function completeTarget(target: Target, ask: AskConfig): Promise<Target> {
  const { config, leaves = [], alias, connection } = target
  if (alias !== undefined || leaves.length === 0) return target
  const left = (name: Left) => leaves.includes(name)
  const asked = askedAs(target)
  const user = left('user') ? undefined : target.user
  const answer = await ask({ host: asked, user, port: left('port') ? undefined : target.port, file: config })
  if (!answer) throw noOpenSsh(target)
  if (answer.proxyCommand !== undefined && connection === undefined) throw noProxyCommand(target, answer.proxyCommand)
  // Without a HostName the answer is the question, and the node has an address.
  const isAddress = left('host') && answer.host === asked
  return {
    ...target,
    host: isAddress ? target.host : answer.host,
    port: answer.port,
    user: answer.user,
    ...(left('key') && { key: answer.key }),
    ...(left('knownHosts') && answer.knownHosts && { knownHosts: answer.knownHosts }),
    ...(left('jump') && { jump: jumpOf(answer) }),
    alias: asked,
    leaves: [...leaves.filter((name) => name !== 'host'), ...(isAddress ? [] : (['host'] as const))],
  }
}

/** The word that one would type behind `ssh`. */
function askedAs({ name, host, leaves = [] }: Target): string {
  return leaves.includes('host') ? name : host
}

function jumpOf({ jump }: ConfiguredHost): readonly string[] | undefined {
  return jump.length > 0 ? jump : undefined
}

function noOpenSsh({ name, connection }: Target): NotTrusted {
  return new NotTrusted(
    `the ssh map of ${name} wants OpenSSH, which is not installed here`,
    connection
      ? 'install the OpenSSH client, or leave out connection: openssh'
      : 'install the OpenSSH client, or say host, port, user, key, known_hosts and jump in the ssh map, and no config',
  )
}

function noProxyCommand({ name, config }: Target, command: string): NotTrusted {
  return new NotTrusted(
    `${config} has a ProxyCommand for ${name}, which is not run here: ${command}`,
    'in its ssh map, name the host that it goes through (jump: HOST), or say jump: none, or connection: openssh',
  )
}
