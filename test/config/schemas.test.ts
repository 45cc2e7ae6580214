import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { INVENTORY_SCHEMA } from '../../src/config/inventory.schema.ts'
import { NETWORK_CONFIGURATION_SCHEMA } from '../../src/config/network-configuration.schema.ts'
import { PLAYBOOK_SCHEMA } from '../../src/config/playbook.schema.ts'

interface Part {
  readonly type?: unknown
  readonly description?: string
  readonly properties?: Readonly<Record<string, Part>>
  readonly additionalProperties?: Part | false
  readonly propertyNames?: Part
  readonly items?: Part
}

/** Every part of a schema by the path of its keywords. */
function parts(part: Part, path: string): readonly (readonly [string, Part])[] {
  const { properties = {}, additionalProperties, propertyNames, items } = part
  return [
    [path, part],
    ...Object.entries(properties).flatMap(([key, child]) => parts(child, `${path}.${key}`)),
    ...(additionalProperties ? parts(additionalProperties, `${path}.*`) : []),
    ...(propertyNames ? parts(propertyNames, `${path}.keys`) : []),
    ...(items ? parts(items, `${path}[]`) : []),
  ]
}

test.each([
  ...parts(INVENTORY_SCHEMA, 'inventory'),
  ...parts(PLAYBOOK_SCHEMA, 'playbook'),
  ...parts(NETWORK_CONFIGURATION_SCHEMA, 'configuration'),
])('%s says what it must be, and is closed if it is a map', (_, part) => {
  expect(part.description).toMatch(/^(an? |the |one |nc, |reconnect )/)
  if (part.type === 'object') expect(part).toHaveProperty('additionalProperties')
})

test.each([
  ['inventory', INVENTORY_SCHEMA],
  ['playbook', PLAYBOOK_SCHEMA],
  ['configuration', NETWORK_CONFIGURATION_SCHEMA],
])('the schema of an %s is one', (_, schema) => {
  const ajv = new Ajv2020()
  expect(ajv.validateSchema(schema), ajv.errorsText()).toBe(true)
})
