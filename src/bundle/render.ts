/**
 * Templates to text, safely: a misspelt or missing name is an error wherever it stands, and nothing that could begin a
 * line of its own ever comes out of a value.
 *
 * Handlebars' `strict` does not look inside `{{#each}}` and `{{#if}}`: a wrong name there renders nothing, which for us
 * would mean an empty rule set. So the data is wrapped in a Proxy that throws. Its escape function, made for HTML, is
 * replaced by a guard; only text that a helper of ours has marked as safe passes it by. What neither of them would see,
 * `{{{x}}}` and a misspelt `@first`, is refused before a template is used.
 */

import Handlebars from 'handlebars'
import { packets } from '../artifacts/packets.ts'
import type { RuleMatch } from '../view/view.ts'

const HELPERS: Handlebars.HelperDeclareSpec = {
  packets: (match: RuleMatch) => packets(match),
  upper: (text: string) => text.toUpperCase(),
  /** A line for each of what may be thousands: `add NAME MEMBER`. */
  add: (name: string, members: readonly unknown[]) => new Handlebars.SafeString(added(guard(name), bare(members))),
  /** A word for the shell, whatever it holds. */
  quote: (text: string) => `'${text.replaceAll("'", "'\\''")}'`,
  /** A program of our own, several lines as they are. */
  shell: (program: string) => new Handlebars.SafeString(program.replace(/^\n+|\s+$/g, '')),
}

const LOOP_NAMES: readonly unknown[] = ['@first', '@last', '@index', '@key']

const handlebars = Handlebars.create()
handlebars.registerHelper(HELPERS)
Handlebars.Utils.escapeExpression = guard

const compiled = new Map<string, Handlebars.TemplateDelegate>()

export function render(template: string, data: object): string {
  const text = delegate(template)(complete(data, ''))
  return text === '' ? '' : `${text.replace(/\n{3,}/g, '\n\n').trim()}\n`
}

function delegate(template: string): Handlebars.TemplateDelegate {
  const known = compiled.get(template)
  if (known) return known
  refuseUnseen(Handlebars.parse(template))
  const made = handlebars.compile(template, {
    strict: true,
    preventIndent: true,
    knownHelpersOnly: true,
    knownHelpers: Object.fromEntries(Object.keys(HELPERS).map((name) => [name, true])),
  })
  compiled.set(template, made)
  return made
}

/** Looks at a parsed template, all the way down. */
function refuseUnseen(node: unknown): void {
  if (typeof node !== 'object' || node === null) return
  const { type, escaped, data, original } = node as Readonly<Record<string, unknown>>
  if (type === 'MustacheStatement' && escaped === false) throw new Error('a template prints {{{...}}}, past the guard')
  if (type === 'PathExpression' && data === true && !LOOP_NAMES.includes(original)) {
    throw new Error(`a template asks for "${original}", which no loop has`)
  }
  for (const part of Object.values(node)) refuseUnseen(part)
}

function guard(value: unknown): string {
  if (value instanceof Handlebars.SafeString) return value.toString()
  if (typeof value !== 'string' && !Number.isFinite(value)) throw new Error(`a template prints ${describe(value)}`)
  const text = String(value)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)) {
    throw new Error(`a value with control characters would be written to a file: ${JSON.stringify(text)}`)
  }
  return text
}

function describe(value: unknown): string {
  return typeof value === 'number' ? String(value) : `something that is no text: ${typeof value}`
}

/** Every node has the sets that name all of a cloud: lists that nodes have in common are made into lines once. */
function added(name: string, members: readonly unknown[]): string {
  const known = lines.get(members)
  if (known?.name === name) return known.text
  if (!members.every((member) => typeof member === 'string')) throw new Error('a template adds what is no text')
  // At once, because each for itself takes longer than all the rest.
  guard(members.join(' '))
  const before = `add ${name} `
  const text = members.length === 0 ? '' : `${before}${members.join(`\n${before}`)}`
  lines.set(members, { name, text })
  return text
}

const lines = new WeakMap<readonly unknown[], { readonly name: string; readonly text: string }>()

/** The data, which throws when it is asked for a name that is not there. What no template looks at is not gone through. */
function complete(data: unknown, path: string): unknown {
  if (typeof data !== 'object' || data === null) return data
  const wrapped = new Proxy(loose(data), {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof name !== 'string') return value
      if (value === undefined) throw new Error(`a template asks for "${path}${name}", which is not there`)
      return complete(value, `${path}${name}.`)
    },
  })
  if (Array.isArray(data)) wrappedLists.set(wrapped, data)
  return wrapped
}

const wrappedLists = new WeakMap<object, readonly unknown[]>()

/** A list as it was given to us: asking for each of its members in turn takes longer than all else. */
function bare(list: readonly unknown[]): readonly unknown[] {
  return wrappedLists.get(list) ?? list
}

/** What is frozen would have to be told as it is: a copy can be told wrapped. Long lists hold texts, which need none. */
function loose(data: object): object {
  if (!Array.isArray(data)) return { ...data }
  return data.some((value) => typeof value === 'object') ? [...data] : data
}
