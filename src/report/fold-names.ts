/**
 * Names of nodes as few words: `nc-001, nc-002, nc-003, gw` are `nc-[001-003]` and `gw`.
 *
 * Invariant: joined by `,` the words are a `--limit` that selects exactly these nodes, whatever others there are. A range
 * stands for a whole run of digits of a name, so that it can match no longer number; ends that begin with 0 have as many
 * digits as every number between them.
 */

/** A name with one of its numbers taken out. */
interface Template {
  readonly before: string
  readonly digits: string
  readonly after: string
}

/** More digits are not told apart as numbers. */
const MOST_DIGITS = 15

/** In the order of their first names, as given. */
export function foldNames(given: readonly string[]): readonly string[] {
  const names = new Set(given)
  const sizes = new Map<string, number>()
  for (const name of names) for (const template of templatesOf(name)) sizes.set(keyOf(template), sizeOf(template) + 1)
  function sizeOf(template: Template): number {
    return sizes.get(keyOf(template)) ?? 0
  }

  const folds = new Map<string, Template[]>()
  for (const name of names) {
    // The number by which it has most in common with the others; of two as good the last, which is what people count by.
    const template = templatesOf(name).reduce((best, next) => (sizeOf(next) >= sizeOf(best) ? next : best), whole(name))
    const fold = folds.get(keyOf(template))
    if (fold) fold.push(template)
    else folds.set(keyOf(template), [template])
  }
  return [...folds.values()].map(wordOf)
}

function templatesOf(name: string): readonly Template[] {
  return [...name.matchAll(/\d+/g)].flatMap(({ 0: digits, index }) => {
    if (digits.length > MOST_DIGITS) return []
    return [{ before: name.slice(0, index), digits, after: name.slice(index + digits.length) }]
  })
}

function whole(name: string): Template {
  return { before: name, digits: '', after: '' }
}

function keyOf({ before, digits, after }: Template): string {
  return digits === '' ? before : `${before}[]${after}`
}

function wordOf(fold: readonly Template[]): string {
  const { before = '', digits = '', after = '' } = fold[0] ?? {}
  if (fold.length === 1) return before + digits + after
  return `${before}[${ranges(fold.map((template) => template.digits)).join(',')}]${after}`
}

/** Numbers of one length are neighbours, and so are 9 and 10. */
function ranges(numbers: readonly string[]): readonly string[] {
  const sorted = numbers.toSorted((a, b) => a.length - b.length || Number(a) - Number(b))
  const runs: { first: string; last: string }[] = []
  for (const number of sorted) {
    const run = runs.at(-1)
    if (run && follows(number, run)) run.last = number
    else runs.push({ first: number, last: number })
  }
  return runs.map(({ first, last }) => (first === last ? first : `${first}-${last}`))
}

function follows(number: string, { first, last }: { readonly first: string; readonly last: string }): boolean {
  if (Number(number) !== Number(last) + 1) return false
  return number.length === last.length || !(isPadded(number) || isPadded(first))
}

function isPadded(number: string): boolean {
  return number.length > 1 && number.startsWith('0')
}
