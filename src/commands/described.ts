/** What `--help` says of a command, and which options it takes. */

import type { Command } from 'commander'
import { PLAYBOOK_PLACES } from '../config/playbook-places.ts'
import { commonOptions } from './options.ts'
import type { Verb } from './verbs.ts'

export function aboutNodes(command: Command, about: Verb): Command {
  command.argument('[playbook]', `how a run goes (default: ${PLAYBOOK_PLACES.join(' or ')})`)
  return described(command, { ...about, options: [...commonOptions(), ...about.options] })
}

export function described(command: Command, { does, example, options }: Verb): Command {
  command
    .description(`${does[0]?.toUpperCase()}${does.slice(1)}.`)
    .summary(does)
    .addHelpText('after', `\nExample:\n  ${example}`)
  for (const option of options) command.addOption(option)
  return command
}
