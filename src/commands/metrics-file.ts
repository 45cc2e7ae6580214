import { renameSync, writeFileSync } from 'node:fs'
import { EXIT, Refusal } from '../error.ts'

/** Whole or not at all: whoever collects it may come at any moment. */
export function writeMetrics(file: string, text: string): void {
  try {
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Refusal(EXIT.noPermission, `the metrics cannot be written: ${why}`, 'name another file: --metrics FILE')
  }
}
