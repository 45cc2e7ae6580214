/** Options that more than one command takes, with what `--help` says of them. */

import { InvalidArgumentError, Option } from 'commander'

export function viewOption(): Option {
  return new Option('--view <file>', "the view to serve, or a folder of 3.4's files (default: the playbook's source)")
}

export function modeOption(): Option {
  return new Option('--mode <name>', 'the mode of a view that does not say its own, as none did before 4.2')
}

export function lenientOption(): Option {
  return new Option(
    '--lenient',
    'leave out what is wrong with one instance, group or rule, and say so, instead of refusing the view',
  )
}

export function forksOption(): Option {
  return new Option('-f, --forks <number>', "nodes at a time (default: the stage's, 32)").argParser((text) => {
    const forks = Number(text)
    if (!Number.isInteger(forks) || forks < 1) throw new InvalidArgumentError('It must be a whole number from 1.')
    return forks
  })
}

export function formatOption(): Option {
  return new Option('--format <format>', 'how to print it').choices(['table', 'csv', 'openmetrics']).default('table')
}
