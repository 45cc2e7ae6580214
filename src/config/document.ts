/**
 * A configuration file: read, held against its schema, and still able to say where everything stands.
 *
 * Invariants: `value` has the shape its schema describes; a file with defects is refused with all of them, in the order
 * of the file, one line each, as `file:line:column: key.path: what is wrong`.
 */

import type { FromSchema, JSONSchema } from 'json-schema-to-ts'
import { EXIT, Refusal } from '../error.ts'
import { type Defect, formatKeyPath, type KeyPath, type TextDefect } from './defect.ts'
import { readText } from './read-text.ts'
import { findSchemaDefects } from './schema-defects.ts'
import { parseYaml, type YamlFile } from './yaml-file.ts'

export interface Document<Value> {
  readonly file: string
  readonly value: Value
  /** `file:line:column` of a scalar, or of the key of a map or list; what is missing is where its parent is. */
  where(path: KeyPath): string
  whereKey(path: KeyPath): string
  lineOf(path: KeyPath): number
  /** A scalar as it is written: `0755` stays `0755`, though its value is the number 755. */
  written(path: KeyPath): string
  /** In the order of the file, which an object does not keep for keys such as `10`. */
  keys(path: KeyPath): readonly string[]
  /** For checks that no schema can express: refuses the file if there are any. */
  refuse(defects: readonly Defect[]): void
}

/** What a kind of document asks for besides its schema. */
export interface Demands {
  /** Whether keys that start with `x-` are notes, or keys like any other. */
  readonly notes: 'dropped' | 'kept'
  textDefects(text: string): readonly TextDefect[]
  /** The value may be anything: what the schema finds is listed with this. */
  defects(value: unknown): readonly Defect[]
}

const OURS: Demands = { notes: 'dropped', textDefects: () => [], defects: () => [] }

/** `namedBy` is who asked for this file: a flag, or a place in another file. */
export function loadDocument<const Schema extends Exclude<JSONSchema, boolean>>(
  file: string,
  namedBy: string,
  schema: Schema,
): Document<FromSchema<Schema>> {
  const document = parseForeign(readText(file, namedBy), file, schema, OURS)
  // The schema has just found nothing wrong with it.
  return { ...document, value: document.value as FromSchema<Schema> }
}

/** Of a document that came from somewhere else than a file of ours, `file` is how messages name it. */
export function parseDocument<const Schema extends Exclude<JSONSchema, boolean>>(
  text: string,
  file: string,
  schema: Schema,
): Document<FromSchema<Schema>> {
  const document = parseForeign(text, file, schema, OURS)
  // The schema has just found nothing wrong with it.
  return { ...document, value: document.value as FromSchema<Schema> }
}

/** A document that is not one of our own: what else there is to say about it is said together with what the schema says. */
export function loadForeignDocument(
  file: string,
  namedBy: string,
  schema: object,
  demands: Demands,
): Document<unknown> {
  return parseForeign(readText(file, namedBy), file, schema, demands)
}

function parseForeign(text: string, file: string, schema: object, demands: Demands): Document<unknown> {
  const yaml = parseYaml(file, text, demands.notes)
  const textDefects = [...demands.textDefects(text), ...yaml.defects]
  refuse(textDefects.map(({ offset, problem }) => ({ offset, line: `${yaml.place(offset)}: ${problem}` })))
  const defects = [...findSchemaDefects(schema, yaml.value), ...demands.defects(yaml.value)]
  refuse(defects.map((defect) => locate(yaml, defect)))

  return {
    file,
    value: yaml.value,
    where: (path) => yaml.place(yaml.offsetOf(path)),
    whereKey: (path) => yaml.place(yaml.offsetOfKey(path)),
    lineOf: yaml.lineOf,
    written: yaml.written,
    keys: yaml.keys,
    refuse: (defects) => refuse(defects.map((defect) => locate(yaml, defect))),
  }
}

function locate(yaml: YamlFile, { path, atKey, problem }: Defect): { readonly offset: number; readonly line: string } {
  const offset = atKey === undefined ? yaml.offsetOf(path) : yaml.offsetOfKey([...path, atKey])
  const keyPath = path.length === 0 ? '' : ` ${formatKeyPath(path)}:`
  return { offset, line: `${yaml.place(offset)}:${keyPath} ${problem}` }
}

function refuse(defects: readonly { readonly offset: number; readonly line: string }[]): void {
  if (defects.length === 0) return
  const lines = defects.toSorted((a, b) => a.offset - b.offset).map(({ line }) => line)
  throw new Refusal(EXIT.badConfig, [...new Set(lines)].join('\n'))
}
