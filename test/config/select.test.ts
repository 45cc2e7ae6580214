import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Inventory, loadInventory } from '../../src/config/inventory.ts'
import { loadPlaybook } from '../../src/config/playbook.ts'
import { type Narrowing, selectNodes, selectStages } from '../../src/config/select.ts'
import { matchWords } from '../../src/config/words.ts'
import { EXIT } from '../../src/error.ts'
import { refusalOf, writeFiles } from './files.ts'
import { HERE, NO_RUNS, recordOf } from './sources.ts'

const INVENTORY = `cloud: lab
defaults: { role: nc }
groups:
  canary: { nodes: [nc-01] }
  odd: { nodes: [nc-01, nc-03] }
nodes:
  nc-03: { address: 10.1.1.3 }
  nc-01: { address: 10.1.1.1 }
  nc-02: { address: 10.1.1.2 }
  nc-10.lab: { address: 10.1.1.10 }
  cc-01: { address: 10.1.1.101, role: cc }
`

function write(stages: string): { readonly folder: string; readonly inventory: Inventory } {
  const folder = writeFiles({
    'lab.yml': INVENTORY,
    'push.yml': `name: push\ninventory: lab.yml\nstages:\n${stages}`,
  })
  return { folder, inventory: loadInventory(`${folder}/lab.yml`, '--inventory') }
}

const ALL = '  - { name: all, targets: [all] }\n'

function narrow(node: readonly string[], limit?: string): Narrowing {
  return { node, limit }
}

test.each<[string, string]>([
  ['all', 'cc-01 nc-01 nc-02 nc-03 nc-10.lab'],
  ['nc-02', 'nc-02'],
  ['odd', 'nc-01 nc-03'],
  ['nc-02,canary', 'nc-01 nc-02'],
  ['nc-02:canary', 'nc-01 nc-02'],
  [' nc-02 , canary ', 'nc-01 nc-02'],
  ['nc-*', 'nc-01 nc-02 nc-03 nc-10.lab'],
  ['*', 'cc-01 nc-01 nc-02 nc-03 nc-10.lab'],
  ['*.lab', 'nc-10.lab'],
  ['nc-10?lab', 'nc-10.lab'],
  ['?c-01', 'cc-01 nc-01'],
  ['nc-0[12]', 'nc-01 nc-02'],
  ['nc-0[1-2]', 'nc-01 nc-02'],
  ['nc-0[!1]', 'nc-02 nc-03'],
  ['o*', 'nc-01 nc-03'],
  ['!odd', 'cc-01 nc-02 nc-10.lab'],
  ['!odd,nc-*', 'nc-02 nc-10.lab'],
  ['nc-*:&odd', 'nc-01 nc-03'],
  ['&odd', 'nc-01 nc-03'],
  ['nc-*,&odd,!canary', 'nc-03'],
  ['canary,cc-01,&?c-01', 'cc-01 nc-01'],
  ['nc-02,!nc-03', 'nc-02'],
])('--limit %s', (limit, expected) => {
  const { inventory } = write(ALL)
  expect(selectNodes(inventory, narrow([], limit), NO_RUNS).map(({ name }) => name)).toEqual(expected.split(' '))
})

test.each<[string, readonly string[], string | undefined, string]>([
  ['nothing', [], undefined, 'cc-01 nc-01 nc-02 nc-03 nc-10.lab'],
  ['one --node', ['nc-03,nc-01'], undefined, 'nc-01 nc-03'],
  ['several --node', ['nc-03', 'nc-01'], undefined, 'nc-01 nc-03'],
  ['what --node and --limit have in common', ['nc-02,nc-03'], 'odd', 'nc-03'],
])('selects by %s', (_, node, limit, expected) => {
  const { inventory } = write(ALL)
  expect(selectNodes(inventory, narrow(node, limit), NO_RUNS).map(({ name }) => name)).toEqual(expected.split(' '))
})

test.each<[string, readonly string[], string | undefined, ...string[]]>([
  [
    'unknown words, all of them',
    [],
    'canray,nc-01,!nc-20,&zzz',
    '--limit: "canray" matches no node or group (did you mean "canary"?)',
    '--limit: "nc-20" matches no node or group (did you mean "nc-02"?)',
    '--limit: "zzz" matches no node or group',
  ],
  ['a pattern that matches nothing', [], 'nx-*', '--limit: "nx-*" matches no node or group'],
  ['a range that runs backwards', [], 'nc-0[3-1]', '--limit: "nc-0[3-1]": [3-1] runs backwards'],
  [
    'a dot that is not one',
    [],
    'nc-10xlab',
    '--limit: "nc-10xlab" matches no node or group (did you mean "nc-10.lab"?)',
  ],
  ['an empty limit, such as an unset variable', [], '', '--limit: "" matches no node or group'],
  ['a comma too many', [], 'nc-01,', '--limit: "" matches no node or group'],
  ['a limit that excludes itself', [], 'nc-01,!canary', '--limit "nc-01,!canary" leaves no node'],
  ['a node and a limit apart', ['nc-02'], 'odd', '--node and --limit have no node in common'],
  [
    'an unknown node',
    ['nc-1,nc-02', 'x'],
    undefined,
    '--node: no node is named "nc-1" (did you mean "nc-01"?)',
    '--node: no node is named "x"',
  ],
  [
    'a group as a node',
    ['canary'],
    undefined,
    '--node: no node is named "canary", and groups and patterns are for --limit',
  ],
  [
    'a pattern as a node',
    ['nc-*'],
    undefined,
    '--node: no node is named "nc-*", and groups and patterns are for --limit',
  ],
])('refuses %s', (_, node, limit, ...lines) => {
  const { folder, inventory } = write(ALL)
  expect(refusalOf(folder, () => selectNodes(inventory, narrow(node, limit), NO_RUNS))).toEqual({
    exitCode: EXIT.usage,
    message: lines.join('\n'),
    next: `edgepush nodes -i ${inventory.file} lists the names`,
  })
})

const CANARY_FIRST = '  - { name: canary, targets: [canary] }\n  - { name: ncs, targets: ["nc-*", "!nc-02"] }\n'

test.each<[string, Narrowing, Readonly<Record<string, readonly string[]>>]>([
  ['each node in its first stage', narrow([]), { canary: ['nc-01'], ncs: ['nc-03', 'nc-10.lab'] }],
  ['no stage of which nothing is left', narrow(['nc-03']), { ncs: ['nc-03'] }],
  ['what a limit leaves', narrow([], 'canary,cc-01'), { canary: ['nc-01'] }],
])('stages hold %s', (_, narrowing, expected) => {
  const { folder, inventory } = write(CANARY_FIRST)
  const stages = selectStages(inventory, loadPlaybook(`${folder}/push.yml`, '--playbook'), narrowing, NO_RUNS)
  expect(Object.fromEntries(stages.map(({ stage, nodes }) => [stage.name, nodes.map(({ name }) => name)]))).toEqual(
    expected,
  )
})

test('the files and runs that targets name are found from the playbook', () => {
  const folder = writeFiles({
    'lab.yml': INVENTORY,
    'plays/push.yml':
      'name: push\ninventory: ../lab.yml\nstages:\n  - { name: again, targets: ["@failed"] }\n  - { name: listed, targets: ["@more/names", "nc-[03-09]"] }\n',
    'plays/more/names': 'odd\ncc-01\n',
  })
  const history = recordOf({ id: 'one', command: 'push', nodes: ['nc-01', 'nc-02'], failed: ['nc-01'] })
  const playbook = loadPlaybook(`${folder}/plays/push.yml`, '--playbook')
  const stages = selectStages(loadInventory(`${folder}/lab.yml`, '--inventory'), playbook, narrow([]), history)
  expect(stages.map(({ nodes }) => nodes.map(({ name }) => name))).toEqual([['nc-01'], ['cc-01', 'nc-03']])
})

test.each<[string, string, Narrowing, number, string]>([
  [
    'a target that matches nothing, in the playbook',
    '  - { name: first, targets: [nc-01, canry] }\n',
    narrow(['nc-02']),
    EXIT.badConfig,
    'push.yml:4:20: stage "first": "canry" matches no node or group (did you mean "canary"?)',
  ],
  [
    'a node by name that no stage targets',
    CANARY_FIRST,
    narrow(['nc-01,nc-02,cc-01']),
    EXIT.usage,
    'no stage of the playbook "push" targets cc-01, nc-02',
  ],
  [
    'a limit that no stage targets',
    CANARY_FIRST,
    narrow([], 'cc-01'),
    EXIT.usage,
    'no stage of the playbook "push" targets what is selected',
  ],
  [
    'stages without a node',
    '  - { name: none, targets: [nc-01, "!canary"] }\n',
    narrow([]),
    EXIT.usage,
    'no stage of the playbook "push" targets what is selected',
  ],
])('refuses %s', (_, stages, narrowing, exitCode, message) => {
  const { folder, inventory } = write(stages)
  const select = () => selectStages(inventory, loadPlaybook(`${folder}/push.yml`, '--playbook'), narrowing, NO_RUNS)
  expect(refusalOf(folder, select)).toMatchObject({ exitCode, message })
})

const someWords = fc.array(
  fc
    .tuple(fc.constantFrom('', '&', '!'), fc.constantFrom('all', 'odd', 'canary', 'nc-*', 'cc-01', 'nc-0[!3]', 'nx'))
    .map(([sign, word]) => sign + word),
  { minLength: 1, maxLength: 5 },
)

test('the order of words and how they are separated does not matter', () => {
  const { inventory } = write(ALL)
  const sorted = (words: readonly string[]) => {
    const { names, unmatched } = matchWords(inventory, words, HERE)
    return { names: [...names], unmatched: unmatched.map(({ text }) => text).toSorted() }
  }
  fc.assert(
    fc.property(
      someWords.chain((words) =>
        fc.tuple(
          fc.constant(words),
          fc.shuffledSubarray(words, { minLength: words.length }),
          fc.constantFrom(',', ':'),
        ),
      ),
      ([words, shuffled, separator]) => {
        expect(sorted(shuffled)).toEqual(sorted(words))
        expect(sorted([words.join(separator)])).toEqual(sorted(words))
      },
    ),
  )
})

test('a word more after & or ! only ever narrows', () => {
  const { inventory } = write(ALL)
  fc.assert(
    fc.property(someWords, fc.constantFrom('&odd', '!odd', '&nc-*', '!canary'), (words, word) => {
      const narrowed = matchWords(inventory, [...words, word], HERE).names
      const { names } = matchWords(inventory, words, HERE)
      expect([...narrowed].filter((name) => !names.has(name))).toEqual([])
    }),
  )
})

test('any text is a word that matches or does not', () => {
  const { inventory } = write(ALL)
  const text = fc.string({ unit: fc.constantFrom(...'[]!&*?^-\\nc01.(){}+|$/ ~:,') })
  fc.assert(
    fc.property(text, (word) => {
      const { names, unmatched } = matchWords(inventory, [word], HERE)
      expect(names.size <= inventory.nodes.length).toBe(true)
      expect(names.size === 0 || unmatched.length <= word.length).toBe(true)
    }),
    { numRuns: 2000 },
  )
})
