import { byName } from './by-name.ts'

/** ` (did you mean "options"?)` when some known name is near what was written, otherwise nothing. */
export function didYouMean(written: string, known: Iterable<string>): string {
  const near = nearestNames(written, known).map((name) => `"${name}"`)
  const last = near.at(-1)
  if (last === undefined) return ''
  const choice = near.length === 1 ? last : `${near.slice(0, -1).join(', ')} or ${last}`
  return ` (did you mean ${choice}?)`
}

function nearestNames(written: string, known: Iterable<string>): readonly string[] {
  const bound = Math.max(1, Math.floor(written.length / 3))
  return [...new Set(known)]
    .map((name) => ({ name, distance: editDistance(written.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= bound)
    .toSorted((a, b) => a.distance - b.distance || byName(a.name, b.name))
    .slice(0, 3)
    .map(({ name }) => name)
}

/** Two neighbouring letters in the wrong order count as one mistake, because that is how people mistype. */
function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = []
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current[column] = Math.min(
        cell(last, column) + 1,
        cell(current, column - 1) + 1,
        cell(last, column - 1) + (same ? 0 : 1),
        swapped ? cell(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    beforeLast = last
    last = current
  }
  return cell(last, b.length)
}

function cell(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
