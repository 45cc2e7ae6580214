/** What one command works with: the playbook that was named, implied or found, and its inventory. */

import { existsSync } from 'node:fs'
import { EXIT, Refusal } from '../error.ts'
import { type Inventory, loadInventory } from './inventory.ts'
import { impliedPlaybook, loadPlaybook, type Playbook } from './playbook.ts'

export interface Configuration {
  readonly playbook: Playbook
  readonly inventory: Inventory
}

/** What the command line names. An inventory named beside a playbook takes the place of the playbook's own. */
export interface Named {
  readonly playbook: string | undefined
  readonly inventory: string | undefined
}

export function loadConfiguration(named: Named, places: readonly string[]): Configuration {
  const playbook = choosePlaybook(named, places)
  const { file, namedBy } = playbook.inventory
  return { playbook, inventory: loadInventory(file, namedBy) }
}

function choosePlaybook(named: Named, places: readonly string[]): Playbook {
  const inventory = named.inventory === undefined ? undefined : { file: named.inventory, namedBy: '--inventory' }
  if (named.playbook !== undefined) {
    const playbook = loadPlaybook(named.playbook, 'the command line')
    return inventory ? { ...playbook, inventory } : playbook
  }
  return inventory ? impliedPlaybook(inventory) : loadPlaybook(locatePlaybook(places), 'the default places')
}

function locatePlaybook(places: readonly string[]): string {
  const found = places.find((place) => existsSync(place))
  if (found !== undefined) return found
  const missing = places.map((place) => `no ${place}`).join(' and ')
  throw new Refusal(
    EXIT.usage,
    `no playbook and no inventory is named, and there is ${missing}`,
    'name an inventory: -i FILE',
  )
}
