import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { Refusal } from '../../src/error.ts'

/** A folder with these files, gone after the test. */
export function writeFiles(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgepush-config-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

/** What an action is refused with; the folder is left out of it, so that a test can spell the message. */
export function refusalOf(folder: string, action: () => unknown): Pick<Refusal, 'exitCode' | 'message' | 'next'> {
  try {
    action()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { exitCode, message, next } = error
    return { exitCode, message: message.replaceAll(`${folder}/`, ''), next }
  }
  throw new Error('was not refused')
}
