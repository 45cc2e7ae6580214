/**
 * From what the inventory and the node say to the options of a mode: the inventory wins over the node's own
 * eucalyptus.conf, that over the mode's fallback. An option that nobody sets and that has no fallback is a defect, and so
 * is a value that does not fit: nothing is ever guessed.
 */

import type { OptionSpec, Options } from './mode.ts'

/** A value as somebody wrote it. */
interface Setting {
  readonly value: string
  /** `file:line`, for messages. */
  readonly where: string
}

export type Settings = Readonly<Record<string, Setting>>

export interface Resolved {
  readonly options: Options
  /** One sentence each; the options are good only without any. */
  readonly defects: readonly string[]
}

/** What can be said of an inventory's options before any node is asked. */
export function findDefects(specs: readonly OptionSpec[], inventory: Settings): readonly string[] {
  const byName = new Map(specs.map((spec) => [spec.name, spec]))
  return Object.entries(inventory).flatMap(([name, setting]) => {
    const spec = byName.get(name)
    if (!spec)
      return [`${setting.where}: ${name} is not an option of this mode; it has ${[...byName.keys()].join(', ')}`]
    return defect(spec, setting)
  })
}

export function resolveOptions(specs: readonly OptionSpec[], inventory: Settings, conf: Settings): Resolved {
  const defects: string[] = []
  const options: Record<string, string> = {}
  for (const spec of specs) {
    const setting = inventory[spec.name] ?? conf[spec.name]
    if (setting) defects.push(...defect(spec, setting))
    else if (spec.fallback === undefined) defects.push(missing(spec))
    options[spec.name] = setting?.value ?? spec.fallback ?? ''
  }
  return { options, defects }
}

function defect(spec: OptionSpec, { value, where }: Setting): readonly string[] {
  const problem = spec.check(value)
  return problem === undefined ? [] : [`${where}: ${spec.name} is ${JSON.stringify(value)}, it ${problem}`]
}

function missing({ name }: OptionSpec): string {
  return `${name} is set neither in the inventory nor in the node's eucalyptus.conf`
}
