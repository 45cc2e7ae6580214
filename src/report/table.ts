export type Row = readonly string[]

/** Columns as wide as they must be, two blanks apart; the last one as it comes. Widths are counted without colour. */
export function table(rows: readonly Row[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, visible(cell).length)
  }
  return rows.map((row) => `${line(row, widths)}\n`).join('')
}

function line(row: Row, widths: readonly number[]): string {
  return row
    .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - visible(cell).length))
    .join('  ')
    .trimEnd()
}

function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
  return text.replace(/\u001b\[\d+m/g, '')
}
