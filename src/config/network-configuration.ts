/**
 * A network configuration document as the cloud reads it: what looks like JSON has to be JSON, anything else is YAML; no
 * key is anybody's note. All that is wrong is listed at once, with its place.
 */

import type { Defect, TextDefect } from './defect.ts'
import { loadForeignDocument } from './document.ts'
import { NETWORK_CONFIGURATION_SCHEMA } from './network-configuration.schema.ts'

export interface NetworkConfigurationFile {
  readonly value: unknown
  readonly isJson: boolean
}

/** `findDefects` is what only the modes know. */
export function loadNetworkConfiguration(
  file: string,
  namedBy: string,
  findDefects: (value: unknown, isJson: boolean) => readonly Defect[],
): NetworkConfigurationFile {
  let isJson = false
  const { value } = loadForeignDocument(file, namedBy, NETWORK_CONFIGURATION_SCHEMA, {
    notes: 'kept',
    textDefects: (text) => {
      isJson = looksLikeJson(text)
      return isJson ? findJsonDefects(text) : []
    },
    // Of what is no map at all there is no more to say.
    defects: (content) => (isMap(content) ? findDefects(content, isJson) : []),
  })
  return { value, isJson }
}

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function looksLikeJson(text: string): boolean {
  return /^\uFEFF?\s*\{/.test(text)
}

/** YAML takes more than JSON does: a comma too many, a comment, a word without quotes. */
function findJsonDefects(text: string): readonly TextDefect[] {
  try {
    JSON.parse(text)
    return []
  } catch (error) {
    const reason = (error as SyntaxError).message.replace(/( in JSON at position|, [."]).*/s, '')
    return [{ offset: endOfJson(text), problem: `not JSON, though it begins like it: ${reason}` }]
  }
}

/** How far the text could still have become JSON; the parser does not always say. */
function endOfJson(text: string): number {
  let [good, bad] = [0, text.length + 1]
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2)
    if (couldGoOn(text.slice(0, middle))) good = middle
    else bad = middle
  }
  return good
}

function couldGoOn(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    const { message } = error as SyntaxError
    const position = /position (\d+)/.exec(message)?.[1]
    return /end of JSON input|Unterminated/.test(message) || Number(position) === text.length
  }
}
