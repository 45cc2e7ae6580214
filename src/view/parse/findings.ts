/**
 * Everything that is wrong with a view, not only the first thing: one broken instance must not hide the next, and
 * whoever reads the list should be able to go to the line.
 *
 * Invariant: an error is of the whole view or of one part of it. Only a lenient reading leaves a part out for its errors;
 * each of them is then a finding of its own kind, so that nothing is left out without a word.
 */

import type { PartScope, Scope } from './scope.ts'

export interface Finding {
  /** `left-out` is an error that cost only a part of the view. */
  readonly severity: 'error' | 'left-out' | 'warning'
  /** How far it reaches. */
  readonly scope: Scope
  /** As an editor likes it: `view.xml:12 instance i-0a0a0a0a`. */
  readonly where: string
  readonly message: string
}

export interface Place {
  readonly line: number
  readonly column?: number | undefined
  /** Below the origin, where a view is more than one file. */
  readonly file?: string | undefined
  /** What stands there: `instance i-0a0a0a0a`; empty for the document itself. */
  readonly label: string
}

export interface Findings {
  readonly isLenient: boolean
  /** Remembers where a value was read, for checks that compare values with each other. */
  place<T extends object>(value: T, place: Place): T
  placeOf(value: object): Place
  /** Returns undefined, so that a reader can end with it. */
  error(place: Place, message: string): undefined
  warning(place: Place, message: string): undefined
  /** Where the errors of one part go; each call is another part. */
  within(scope: PartScope): PartFindings
  hasErrors(): boolean
  /** How many parts have to do without. */
  leftOut(): number
  /** In the order of the document. */
  list(): readonly Finding[]
}

export interface PartFindings extends Findings {
  /** Whether this part is to be left out: it had an error, and the reading is lenient. */
  isLeftOut(): boolean
}

export function collectFindings(origin: string, isLenient: boolean): Findings {
  const found = new Map<string, Place & Finding>()
  const places = new Map<object, Place>()
  let leftOut = 0

  function add(severity: Finding['severity'], scope: Scope, place: Place, message: string): undefined {
    const file = [origin, place.file].filter((part) => part).join('/')
    const position = [file, place.line, place.column].filter((part) => part !== undefined).join(':')
    const where = `${position} ${place.label}`.trimEnd()
    // A reader may come to the same field twice.
    found.set(`${where}\n${message}`, { ...place, severity, scope, where, message })
  }

  const findings: Findings = {
    isLenient,
    place: (value, place) => {
      places.set(value, place)
      return value
    },
    placeOf: (value) => places.get(value) ?? { line: 1, label: '' },
    error: (place, message) => add('error', 'view', place, message),
    warning: (place, message) => add('warning', 'view', place, message),
    within: (scope) => {
      let isLeftOut = false
      const fail = (place: Place, message: string) => {
        if (isLenient && !isLeftOut) leftOut += 1
        isLeftOut = isLenient
        return add(isLenient ? 'left-out' : 'error', scope, place, message)
      }
      return { ...findings, error: fail, isLeftOut: () => isLeftOut }
    },
    hasErrors: () => [...found.values()].some(({ severity }) => severity === 'error'),
    leftOut: () => leftOut,
    list: () =>
      [...found.values()]
        .toSorted((a, b) => byText(a.file ?? '', b.file ?? '') || a.line - b.line)
        .map(({ severity, scope, where, message }) => ({ severity, scope, where, message })),
  }
  return findings
}

function byText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
