import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadConfiguration } from '../../src/config/configuration.ts'
import { loadInventory } from '../../src/config/inventory.ts'
import { selectStages } from '../../src/config/select.ts'
import { NO_RUNS } from './sources.ts'

const repository = join(import.meta.dirname, '..', '..')

function list(folder: string): readonly string[] {
  return readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.ya?ml$/.test(path))
    .map((path) => join(repository, folder, path))
}

test.each(list('inventories'))('%s is an inventory', (file) => {
  expect(loadInventory(file, 'this test').nodes.length).toBeGreaterThan(0)
})

test.each(list('playbooks'))('%s is a playbook: every stage finds its nodes, and every key works', (playbook) => {
  const configuration = loadConfiguration({ playbook, inventory: undefined }, [])
  const all = { node: [], limit: undefined }
  const stages = selectStages(configuration.inventory, configuration.playbook, all, NO_RUNS)
  expect(stages.map(({ stage }) => stage)).toEqual(configuration.playbook.stages)
})
