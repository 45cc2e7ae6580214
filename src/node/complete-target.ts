/**
 * What an inventory leaves to a file of ssh_config(5), filled in. What the inventory says always wins; nothing is asked
 * about a node whose inventory names no such file, or leaves nothing to it.
 */

import type { AskConfig, ConfiguredHost } from './openssh-config.ts'
import { type Left, NotTrusted, type Target } from './transport.ts'

export async function completeTarget(target: Target, ask: AskConfig): Promise<Target> {
  const { config, leaves = [] } = target
  if (config === undefined || leaves.length === 0) return target
  const left = (name: Left) => leaves.includes(name)
  const asked = askedAs(target)
  const user = left('user') ? undefined : target.user
  const answer = await ask({ host: asked, user, port: left('port') ? undefined : target.port, file: config })
  if (!answer) throw noOpenSsh(target, config)
  if (answer.proxyCommand !== undefined) throw noProxyCommand(target, answer.proxyCommand)
  return {
    ...target,
    // Without a HostName the answer is the question, and the node has an address.
    host: left('host') && answer.host === asked ? target.host : answer.host,
    port: answer.port,
    user: answer.user,
    ...(left('key') && { key: answer.key }),
    ...(left('knownHosts') && answer.knownHosts && { knownHosts: answer.knownHosts }),
    ...(left('jump') && { jump: jumpOf(answer) }),
    leaves: [],
  }
}

/** The word that one would type behind `ssh`. */
function askedAs({ name, host, leaves = [] }: Target): string {
  return leaves.includes('host') ? name : host
}

function jumpOf({ jump }: ConfiguredHost): readonly string[] | undefined {
  return jump.length > 0 ? jump : undefined
}

function noOpenSsh({ name }: Target, config: string): NotTrusted {
  return new NotTrusted(
    `${name} leaves settings to ${config}, and only OpenSSH can read it, which is not installed here`,
    'install the OpenSSH client, or say host, port, user, key, known_hosts and jump in the ssh map of the inventory',
  )
}

function noProxyCommand({ name, config }: Target, command: string): NotTrusted {
  return new NotTrusted(
    `${config} has a ProxyCommand for ${name}, which is not run here: ${command}`,
    'in the inventory, name the host that it goes through: ssh: { jump: HOST }; or say jump: none',
  )
}
