/**
 * A pattern of names: `*`, `?`, `[abc]`, `[!abc]`, `[a-f]` as in a shell, and ranges of numbers as Ansible's inventories
 * spell them, `nc[001:040]`, with a step `nc[001:040:2]`, or with a dash, `nc[001-040]`; several of them, and single numbers,
 * as the report of a run folds names: `nc[001-118,120-200]`. After `~` it is a regular expression that a name must begin
 * with, as in Ansible.
 *
 * A range of which one end begins with 0 has numbers of that many digits. It is never expanded: a pattern is a few steps,
 * each of which says how far it leads from a place in a name, so that no name and no range takes long.
 */

export type Pattern =
  | { readonly matches: (name: string) => boolean }
  /** Why it can match nothing. */
  | { readonly wrong: string }

/** The places in a name that are reached from a place in it. */
type Step = (name: string, from: number) => readonly number[]

export function readPattern(text: string): Pattern {
  return text.startsWith('~') ? readRegExp(text.slice(1)) : readGlob(text)
}

/** Whether it can match anything but itself. */
export function isPattern(text: string): boolean {
  return text.startsWith('~') || /[*?[]/.test(text)
}

function readRegExp(source: string): Pattern {
  try {
    // Alone first: what is wrong with it is told as it was typed, and it may not close our parenthesis.
    const expression = new RegExp(`^(?:${new RegExp(source).source})`)
    return { matches: (name) => expression.test(name) }
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) }
  }
}

function readGlob(glob: string): Pattern {
  const steps = (glob.match(/\[!?[^\]]+\]|\*+|./gs) ?? []).map(readStep)
  const wrong = steps.find((step) => typeof step === 'string')
  if (wrong !== undefined) return { wrong }
  const sound = steps.filter((step) => typeof step !== 'string')
  return {
    matches(name) {
      let places: ReadonlySet<number> = new Set([0])
      for (const step of sound) places = new Set([...places].flatMap((place) => step(name, place)))
      return places.has(name.length)
    },
  }
}

function readStep(part: string): Step | string {
  if (part.startsWith('*'))
    return (name, from) => Array.from({ length: name.length - from + 1 }, (_, more) => from + more)
  if (part === '?') return oneThat(() => true)
  const [, not, members] = /^\[(!?)([^\]]+)\]$/.exec(part) ?? []
  if (members === undefined) return oneThat((letter) => letter === part)
  const parts = members.split(',')
  // A number alone is a list of letters, as in a shell.
  const isList = parts.length > 1 || !/^\d+$/.test(members)
  if (not === '' && isList && parts.every((one) => RANGE.test(one))) return readRanges(parts)
  return readMembers(members, not === '!')
}

/** Or one number. */
const RANGE = /^\d+(?:[-:]\d+(?::\d+)?)?$/

function readRanges(parts: readonly string[]): Step | string {
  const steps = parts.map((part) => {
    const [first = '', last = first, step] = part.split(/[-:]/)
    return readRange(first, last, step)
  })
  const wrong = steps.find((step) => typeof step === 'string')
  if (wrong !== undefined) return wrong
  const sound = steps.filter((step) => typeof step !== 'string')
  return (name, from) => [...new Set(sound.flatMap((step) => step(name, from)))]
}

function oneThat(isMeant: (letter: string) => boolean): Step {
  return (name, from) => {
    const letter = name[from]
    return letter !== undefined && isMeant(letter) ? [from + 1] : []
  }
}

function readMembers(members: string, not: boolean): Step | string {
  const ranges = [...members.matchAll(/(.)-(.)/gs)]
  if (ranges.some(([, from = '', to = '']) => from > to)) return `[${members}] runs backwards`
  const expression = new RegExp(`^[${not ? '^' : ''}${members.replace(/[\\^[\]]/g, '\\$&')}]$`, 's')
  return oneThat((letter) => expression.test(letter))
}

function readRange(first: string, last: string, written = '1'): Step | string {
  const [from, to, step] = [Number(first), Number(last), Number(written)]
  const isPadded = [first, last].some((end) => end.length > 1 && end.startsWith('0'))
  if (isPadded && first.length !== last.length) return `the ends of [${first}-${last}] have not as many digits`
  if (from > to) return `[${first}-${last}] runs backwards`
  if (step === 0) return 'a step of 0 leads nowhere'

  const isMeant = (digits: string) => {
    const isSpelt = isPadded ? digits.length === first.length : digits === '0' || !digits.startsWith('0')
    const number = Number(digits)
    return isSpelt && number >= from && number <= to && (number - from) % step === 0
  }
  return (name, place) => {
    const digits = /^\d*/.exec(name.slice(place))?.[0] ?? ''
    const lengths = Array.from({ length: digits.length }, (_, index) => index + 1)
    return lengths.filter((length) => isMeant(digits.slice(0, length))).map((length) => place + length)
  }
}
