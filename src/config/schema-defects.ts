/**
 * What is wrong with a value, held against a schema, in words for the person who wrote the value.
 *
 * Every part of a schema carries a `description` that completes the sentence "must be ..."; a test keeps that.
 */

import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { parseCidr, parseIpv4, parseRange } from '../view/ipv4.ts'
import type { Defect, KeyPath } from './defect.ts'
import { didYouMean } from './did-you-mean.ts'

const ajv = new Ajv2020({
  allErrors: true,
  verbose: true,
  allowUnionTypes: true,
  // A test holds our schemas against the one of schemas, which takes longer than all that starts before it.
  validateSchema: false,
  meta: false,
  formats: {
    ipv4: (text: string) => parseIpv4(text) !== undefined,
    'ipv4-network': (text: string) => text.includes('/') && parseCidr(text) !== undefined,
    'ipv4-range': (text: string) => parseRange(text) !== undefined,
    'interface-address': (text: string) => text.includes('/') && parseCidr(text) !== undefined,
  },
})

export function findSchemaDefects(schema: object, value: unknown): readonly Defect[] {
  const valid = ajv.compile(schema)
  if (valid(value)) return []
  return (valid.errors ?? [])
    .filter(({ keyword }) => keyword !== 'propertyNames')
    .map((error) => toDefect(error, pathOf(value, error.instancePath)))
}

function toDefect(error: ErrorObject, path: KeyPath): Defect {
  const { keyword, params, propertyName, parentSchema } = error
  if (propertyName !== undefined) {
    return { path, atKey: propertyName, problem: `key "${propertyName}" must be ${parentSchema?.description}` }
  }
  if (keyword === 'additionalProperties') {
    const key = String(params.additionalProperty)
    return {
      path,
      atKey: key,
      problem: `unknown key "${key}"${didYouMean(key, Object.keys(parentSchema?.properties))}`,
    }
  }
  if (keyword === 'required' || keyword === 'dependentRequired') {
    const key = String(params.missingProperty)
    return { path, problem: `key "${key}" is missing: ${parentSchema?.properties[key].description}` }
  }
  if (keyword === 'uniqueItems') {
    return { path: [...path, Math.max(params.i, params.j)], problem: 'stands twice in the same list' }
  }
  const hint = keyword === 'enum' && typeof error.data === 'string' ? didYouMean(error.data, params.allowedValues) : ''
  return { path, problem: `must be ${parentSchema?.description}, not ${shown(error.data)}${hint}` }
}

/** Ajv writes `/stages/0/targets`; whether `0` is an index or a name, only the value knows. */
function pathOf(value: unknown, pointer: string): KeyPath {
  const path: (string | number)[] = []
  let current = value
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    path.push(Array.isArray(current) ? Number(key) : key)
    current = (current as Record<string, unknown>)[key]
  }
  return path
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty map' : 'a map'
  if (typeof value === 'string') return JSON.stringify(value)
  return `the ${typeof value} ${value}`
}
