/**
 * What a file of ssh_config(5) says of a host, as `ssh -G` tells it: nothing of that grammar is known here, so Include,
 * Match and tokens mean what they mean to OpenSSH. Each host is asked about once.
 *
 * For key files and known_hosts files `ssh -G` also tells its defaults. What it tells without any file is taken for not
 * said.
 */

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import pLimit from 'p-limit'
import { type Ended, runProgram } from './programs.ts'
import { NotTrusted } from './transport.ts'

interface AskedHost {
  readonly host: string
  readonly user?: string | undefined
  readonly port?: number | undefined
  /** The file to ask; without one OpenSSH's own, the user's and the system's. */
  readonly file: string | undefined
}

export interface ConfiguredHost {
  readonly host: string
  readonly user: string
  readonly port: number
  /** The first of the files named that is there. */
  readonly key: string | undefined
  readonly knownHosts: readonly string[] | undefined
  /** As written behind ProxyJump. */
  readonly jump: readonly string[]
  readonly proxyCommand: string | undefined
}

/** Undefined where no OpenSSH is installed. */
export type AskConfig = (asked: AskedHost) => Promise<ConfiguredHost | undefined>

type Lines = ReadonlyMap<string, readonly string[]>

const TIMEOUT = 20_000

/** Processes at a time. */
const AT_ONCE = 4

export function openSshConfig(): AskConfig {
  const answers = new Map<string, Promise<ConfiguredHost | undefined>>()
  const limit = pLimit(AT_ONCE)
  let unsaid: Promise<Lines | undefined> | undefined
  return (asked) => {
    const name = JSON.stringify([asked.host, asked.user, asked.port, asked.file])
    const known = answers.get(name)
    if (known !== undefined) return known
    unsaid ??= tell({ host: 'any', file: 'none' })
    const answer = limit(answerOf, asked, unsaid)
    answers.set(name, answer)
    return answer
  }
}

async function answerOf(asked: AskedHost, unsaid: Promise<Lines | undefined>): Promise<ConfiguredHost | undefined> {
  const defaults = await unsaid
  const lines = defaults && (await tell(asked))
  return lines && toHost(asked, lines, defaults)
}

async function tell({ host, user, port, file }: AskedHost): Promise<Lines | undefined> {
  const login = [...(file ? ['-F', file] : []), ...(user ? ['-l', user] : []), ...(port ? ['-p', `${port}`] : [])]
  const ended = await runProgram('ssh', ['-T', ...login, '-G', host], TIMEOUT)
  if (ended && ended.code !== 0) throw explain(host, file, ended)
  return ended && linesOf(ended.stdout)
}

function linesOf(text: string): Lines {
  const lines = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [, keyword = '', value = ''] = /^(\S+) (.*)$/.exec(line) ?? []
    const there = lines.get(keyword)
    if (there) there.push(value)
    else lines.set(keyword, [value])
  }
  return lines
}

function toHost(asked: AskedHost, lines: Lines, unsaid: Lines): ConfiguredHost {
  const first = (keyword: string) => lines.get(keyword)?.[0]
  const said = (keyword: string) => {
    const values = lines.get(keyword)
    return values?.join('\n') === unsaid.get(keyword)?.join('\n') ? undefined : values
  }
  const host = first('hostname') ?? asked.host
  const user = first('user') ?? ''
  const jump = first('proxyjump') ?? 'none'
  return {
    host,
    user,
    port: Number(first('port') ?? 22),
    key: said('identityfile')
      ?.map((path) => expand(path, host, user))
      .find((path) => existsSync(path)),
    knownHosts: said('userknownhostsfile')?.flatMap((paths) => paths.split(' ')),
    jump: jump === 'none' ? [] : jump.split(','),
    proxyCommand: first('proxycommand'),
  }
}

/** `ssh -G` leaves in paths of keys what it would put there itself. */
function expand(path: string, host: string, user: string): string {
  const tokens: Readonly<Record<string, string>> = { '%d': homedir(), '%h': host, '%r': user, '%%': '%' }
  return path.replace(/^~\//, `${homedir()}/`).replace(/%./g, (token) => tokens[token] ?? token)
}

function explain(host: string, file: string | undefined, { stderr }: Ended): NotTrusted {
  const said = stderr.trim().split('\n').at(-1) ?? ''
  return new NotTrusted(
    `OpenSSH's configuration cannot be asked about ${host}: ${said}`,
    `ssh ${file ? `-F ${file} ` : ''}-G ${host}`,
  )
}
