/** `edgepush units`: the systemd units of a controller that pushes by itself, for this host and this playbook. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { render } from '../bundle/render.ts'
import { templateAt } from '../bundle/templates.ts'
import { loadConfiguration } from '../config/configuration.ts'
import { packageTemplates } from '../config/templates.ts'
import { EXIT, type ExitCode, Refusal } from '../error.ts'
import type { Context } from './context.ts'

/** Both ways of running, and what each consists of. */
export const UNITS = {
  watch: ['edgepush-watch.service'],
  timer: ['edgepush-push.service', 'edgepush-push.timer'],
} as const

export interface UnitsFlags {
  readonly out: string | undefined
}

export function units(
  kind: keyof typeof UNITS,
  playbook: string | undefined,
  { out }: UnitsFlags,
  context: Context,
): ExitCode {
  const { terminal } = context
  const made = unitsFor(kind, playbook, context)
  if (out === undefined) {
    for (const { name, text } of made) terminal.out(`# ${name}\n${text}${made.at(-1)?.name === name ? '' : '\n'}`)
    return EXIT.ok
  }
  writeUnits(out, made)
  terminal.out(made.map(({ name }) => `${join(out, name)}\n`).join(''))
  const [first] = made.toReversed()
  terminal.err(`if that is where systemd looks: systemctl daemon-reload && systemctl enable --now ${first?.name}\n`)
  return EXIT.ok
}

interface Unit {
  readonly name: string
  readonly text: string
}

function unitsFor(kind: keyof typeof UNITS, playbook: string | undefined, context: Context): readonly Unit[] {
  const configuration = loadConfiguration({ playbook, inventory: undefined }, context.playbookPlaces)
  const data = {
    cloud: configuration.inventory.cloud,
    user: userInfo().username,
    // The record and the locks that whoever types a command here has, too.
    state: word(`EDGEPUSH_STATE=${resolve(context.stateFolder)}`),
    command: context.program.map((part) => argument(resolve(part))).join(' '),
    playbook: argument(resolve(configuration.playbook.document?.file ?? '')),
  }
  const templates = packageTemplates()
  return UNITS[kind].map((name) => ({ name, text: render(templateAt(templates, `units/${name}.hbs`), data) }))
}

/** Of a command, in which systemd looks for variables, too. */
function argument(text: string): string {
  return word(text.replaceAll('$', '$$$$'))
}

/** As systemd reads it: whatever means something to it is taken as it is. */
function word(text: string): string {
  const plain = text.replaceAll('%', '%%')
  return /^[\w./=%$:@+-]+$/.test(plain) ? plain : `"${plain.replaceAll(/["\\]/g, '\\$&')}"`
}

function writeUnits(folder: string, made: readonly Unit[]): void {
  try {
    mkdirSync(folder, { recursive: true })
    for (const { name, text } of made) writeFileSync(join(folder, name), text)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Refusal(EXIT.noPermission, `the units cannot be written: ${why}`, 'name another folder: --out DIR')
  }
}
