/** Options that more than one command takes, with what `--help` says of them. */

import { InvalidArgumentError, Option } from 'commander'
import { parseDuration } from '../config/duration.ts'
import { SHORTEST_WINDOW } from '../config/stage.ts'

/** Which nodes, and how what became of them is told. */
export function commonOptions(): readonly Option[] {
  return [
    new Option('-i, --inventory <file>', "who the nodes are (default: the playbook's)"),
    new Option('--node <name>', 'only this node; may be repeated').argParser(
      (value: string, others: readonly string[] = []) => [...others, value],
    ),
    new Option('-l, --limit <words>', LIMIT),
    jsonOption(),
    new Option('-v, --verbose', 'log every step on standard error'),
    new Option('-q, --quiet', 'say only what went wrong'),
    new Option('--no-color', 'no colours (NO_COLOR in the environment does the same)'),
  ]
}

const LIMIT =
  'only these: names, groups, nc-*, nc[001-040], ~regex; a:b both, a:&b in both, a:!b without; ' +
  '@file with a name a line, @failed in the last run, @run:ID, @run:ID:failed'

/** Which view, and how it is read; `what` says what the view is for, where it is not for serving. */
export function viewOptions(what = VIEW): readonly Option[] {
  return [
    new Option('--view <file>', what),
    new Option('--mode <name>', 'the mode of a view that does not say its own, as none did before 4.2'),
    new Option(
      '--lenient',
      'leave out what is wrong with one instance, group or rule, and say so, instead of refusing the view',
    ),
  ]
}

const VIEW = "the view to serve, or a folder of 3.4's files (default: the playbook's source)"

export function forksOption(): Option {
  return new Option('-f, --forks <number>', "nodes at a time (default: the stage's, 32)").argParser((text) => {
    const forks = Number(text)
    if (!Number.isInteger(forks) || forks < 1) throw new InvalidArgumentError('It must be a whole number from 1.')
    return forks
  })
}

export function byOption(): Option {
  return new Option('--by <duration>', 'how long from now, such as 10m')
    .argParser(durationArgument)
    .makeOptionMandatory()
}

function durationArgument(text: string): number {
  if (!/^[1-9][0-9]*[smh]$/.test(text)) throw new InvalidArgumentError('It must be a duration such as 30s, 5m or 1h.')
  return parseDuration(text)
}

export function everyOption(): Option {
  return new Option('--every <duration>', 'ask all nodes, changed or not, about this often (default: 10m)').argParser(
    durationArgument,
  )
}

export function metricsOption(): Option {
  return new Option('--metrics <file>', 'say after each round how it stands, in the text format of Prometheus')
}

export function confirmWindowOption(): Option {
  return new Option(
    '--confirm-window <duration>',
    'leave the confirmation to you: nodes go back after this unless you type edgepush confirm',
  ).argParser((text) => {
    const window = durationArgument(text)
    if (window < SHORTEST_WINDOW) throw new InvalidArgumentError(`It must be at least ${SHORTEST_WINDOW / 1_000}s.`)
    return window
  })
}

/** `guards`: name to what it guards against. */
export function forceOption(guards: Readonly<Record<string, string>>): Option {
  const names = Object.keys(guards)
  const list = Object.entries(guards).map(([name, against]) => `${name} (${against})`)
  return new Option('--force <guard>', `override a guard; may be repeated: ${list.join(', ')}`).argParser(
    (name: string, others: readonly string[] = []) => {
      if (names.includes(name)) return [...others, name]
      throw new InvalidArgumentError(`It must be one of ${names.join(', ')}.`)
    },
  )
}

export function formatOption(): Option {
  return new Option('--format <format>', 'how to print it').choices(['table', 'csv', 'openmetrics']).default('table')
}

export function yesOption(): Option {
  return new Option('-y, --yes', 'do not ask')
}

export function fingerprintOption(): Option {
  return new Option(
    '--fingerprint <SHA256:...>',
    'of one node: add the key that has this one, without asking',
  ).argParser((text) => {
    if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(text)) return text
    throw new InvalidArgumentError('It must be a fingerprint as ssh-keygen -l prints it: SHA256 and 43 characters.')
  })
}

export function jsonOption(): Option {
  return new Option('--json', 'NDJSON on standard output, for programs')
}
