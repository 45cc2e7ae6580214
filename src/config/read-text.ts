import { readFileSync } from 'node:fs'
import { EXIT, Refusal } from '../error.ts'

/** A file that a person names; `namedBy` is where. */
export function readText(file: string, namedBy: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'is a folder, not a file' : message
    throw new Refusal(EXIT.noInput, `${file}: ${reason} (named by ${namedBy})`)
  }
}
