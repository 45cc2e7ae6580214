/** The keys, and indexes of lists, that lead from the top of a file to a value. */
export type KeyPath = readonly (string | number)[]

/** Something wrong with a value. */
export interface Defect {
  readonly path: KeyPath
  /** When the key itself is wrong, and not what stands under it. */
  readonly atKey?: string
  readonly problem: string
}

/** Something wrong with the text, before there are values; the offset is in characters from the start. */
export interface TextDefect {
  readonly offset: number
  readonly problem: string
}

/** `nodes.nc-01.options`, `stages[0].targets[1]`; a name with a dot is quoted. */
export function formatKeyPath(path: KeyPath): string {
  return path
    .map((step) => {
      if (typeof step === 'number') return `[${step}]`
      return /^[\w-]+$/.test(step) ? `.${step}` : `.${JSON.stringify(step)}`
    })
    .join('')
    .replace(/^\./, '')
}
