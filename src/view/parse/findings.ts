/**
 * Everything that is wrong with a view, not only the first thing: one broken instance must not hide the next, and
 * whoever reads the list should be able to go to the line.
 */

export interface Finding {
  readonly severity: 'error' | 'warning'
  /** As an editor likes it: `view.xml:12 instance i-0a0a0a0a`. */
  readonly where: string
  readonly message: string
}

export interface Place {
  readonly line: number
  readonly column?: number
  /** What stands there: `instance i-0a0a0a0a`; empty for the document itself. */
  readonly label: string
}

export interface Findings {
  /** Remembers where a value was read, for checks that compare values with each other. */
  place<T extends object>(value: T, place: Place): T
  placeOf(value: object): Place
  /** Returns undefined, so that a reader can end with it. */
  error(place: Place, message: string): undefined
  warning(place: Place, message: string): undefined
  hasErrors(): boolean
  /** In the order of the document. */
  list(): readonly Finding[]
}

export function collectFindings(origin: string): Findings {
  const found = new Map<string, Place & Finding>()
  const places = new Map<object, Place>()

  function add(severity: Finding['severity'], place: Place, message: string): undefined {
    const position = [origin, place.line, place.column].filter((part) => part !== undefined).join(':')
    const where = `${position} ${place.label}`.trimEnd()
    // A reader may come to the same field twice.
    found.set(`${where}\n${message}`, { ...place, severity, where, message })
  }

  return {
    place: (value, place) => {
      places.set(value, place)
      return value
    },
    placeOf: (value) => places.get(value) ?? { line: 1, label: '' },
    error: (place, message) => add('error', place, message),
    warning: (place, message) => add('warning', place, message),
    hasErrors: () => [...found.values()].some(({ severity }) => severity === 'error'),
    list: () =>
      [...found.values()]
        .toSorted((a, b) => a.line - b.line)
        .map(({ severity, where, message }) => ({ severity, where, message })),
  }
}
