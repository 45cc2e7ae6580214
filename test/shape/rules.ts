/** The rules that keep the shape of src/, each a function from files to sentences about what breaks it. */

import { importsOf, partsOf, type SourceFile } from './source-file.ts'

type Files = readonly SourceFile[]

/**
 * What each part may import, besides itself and packages. A part after `types:` only by type.
 *
 * `node` has no `modes` and no `view`: it carries bundles and describes a node in its own words. `cli.ts` is where the
 * parts are put together, so it may also make what a command is given: a transport, a terminal, a log.
 */
const MAY_IMPORT: Readonly<Record<string, string>> = {
  'error.ts': '',
  view: 'error.ts',
  'view/source': 'error.ts view node',
  artifacts: 'view',
  modes: 'error.ts view artifacts',
  bundle: 'view artifacts modes',
  node: 'bundle',
  config: 'error.ts view types:modes types:node types:bundle',
  run: 'error.ts bundle node',
  record: 'error.ts run',
  report: 'run',
  commands: 'error.ts view view/source modes bundle node config run record report',
  'cli.ts': 'error.ts node config report commands types:run',
}

/** These know no view even through what they import: a view is turned into bundles before they begin. */
const KNOW_NO_VIEW = ['node', 'run', 'record', 'report']

const PURE = ['view', 'artifacts', 'modes', 'bundle']

/** From Node's own modules pure parts may take these names. */
const PURE_NAMES: Readonly<Record<string, string>> = { 'node:crypto': '{ createHash }' }

const PURE_PACKAGES = ['saxes', 'handlebars']

const IMPURE =
  /\b(?:Date|performance|process|console|fetch|setTimeout|setInterval|setImmediate|queueMicrotask|crypto|Intl|globalThis)\b|\bMath\s*\.\s*random\b|\b(?:toLocale\w+|localeCompare)\b/g

function partOf(path: string): string {
  if (path.startsWith('view/source/')) return 'view/source'
  return path.split('/', 1)[0] ?? path
}

export function wrongDirections(files: Files): readonly string[] {
  return files.flatMap((file) => {
    const part = partOf(file.path)
    const allowed = MAY_IMPORT[part]?.split(' ')
    if (!allowed) return [`${file.path}: nothing says what ${part} may import`]
    return importsOf(file).flatMap(({ from, typesOnly }) => {
      const other = partOf(from)
      if (!from.endsWith('.ts') || other === part || allowed.includes(other)) return []
      if (!allowed.includes(`types:${other}`)) return [`${file.path}: ${part} must not import ${from}`]
      return typesOnly ? [] : [`${file.path}: ${part} may import types of ${from}, no more`]
    })
  })
}

export function viewKnowers(files: Files): readonly string[] {
  const graph = graphOf(files)
  return files
    .filter(({ path }) => KNOW_NO_VIEW.includes(partOf(path)))
    .flatMap(({ path }) => {
      const reached = [...reachedFrom(path, graph)].filter((other) => /^(?:view|modes)\//.test(other))
      return reached.map((other) => `${path}: reaches ${other}`)
    })
}

export function importCycles(files: Files): readonly string[] {
  const graph = graphOf(files)
  return files
    .filter(({ path }) => reachedFrom(path, graph).has(path))
    .map(({ path }) => `${path}: imports itself in the end`)
}

/** Types count, too: a cycle of types is two files that cannot be understood one by one. */
function graphOf(files: Files): ReadonlyMap<string, readonly string[]> {
  return new Map(files.map((file) => [file.path, importsOf(file).map(({ from }) => from)]))
}

function reachedFrom(path: string, graph: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const reached = new Set<string>()
  const waiting = [...(graph.get(path) ?? [])]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (reached.has(next)) continue
    reached.add(next)
    waiting.push(...(graph.get(next) ?? []))
  }
  return reached
}

export function missingImports(files: Files): readonly string[] {
  const paths = new Set(files.map(({ path }) => path))
  return files.flatMap((file) =>
    importsOf(file)
      .filter(({ from }) => from.endsWith('.ts') && !paths.has(from))
      .map(({ from }) => `${file.path}: there is no ${from}`),
  )
}

export function impurities(files: Files): readonly string[] {
  return files
    .filter(({ path }) => PURE.includes(partOf(path)))
    .flatMap((file) => {
      const outside = importsOf(file).filter(({ from, names }) => !isPureImport(from, names))
      const words = [...partsOf(file.text).code.matchAll(IMPURE)].map(([word]) => word)
      return [...outside.map(({ from }) => from), ...words].map((what) => `${file.path}: pure, but uses ${what}`)
    })
}

function isPureImport(from: string, names: string): boolean {
  return from.endsWith('.ts') || PURE_PACKAGES.includes(from) || PURE_NAMES[from] === names
}

/** The one exception is a mode that is the other without VLANs. */
export function modesThatImportModes(files: Files): readonly string[] {
  return files.flatMap((file) => {
    const mode = modeFolder(file.path)
    if (mode === undefined) return []
    return importsOf(file).flatMap(({ from }) => {
      const other = modeFolder(from)
      if (other === undefined || other === mode || (mode === 'managed-novlan' && other === 'managed')) return []
      return [`${file.path}: the mode ${mode} must not import the mode ${other}`]
    })
  })
}

function modeFolder(path: string): string | undefined {
  return /^modes\/([^/]+)\//.exec(path)?.[1]
}

const MODE_NAMES = ['EDGE', 'MANAGED', 'MANAGED-NOVLAN', 'STATIC', 'SYSTEM', 'VPCMIDO']

/**
 * As the view spells it anywhere, comments included; as its folders are called where a string is the name or holds it as
 * a step of a path. In lower case the names are English words, which are free everywhere else.
 */
export function modeNames(files: Files): readonly string[] {
  const names = MODE_NAMES.join('|')
  const spelt = new RegExp(String.raw`(?<![\w-])(?:${names})(?![\w-])`, 'g')
  const step = new RegExp(`(?:^|/)(?:${names.toLowerCase()})(?:$|/)`)
  return files
    .filter(({ path }) => partOf(path) !== 'modes')
    .flatMap(({ path, text }) => {
      const said = [...text.matchAll(spelt)].map(([name]) => name)
      return [...said, ...partsOf(text).strings.filter((string) => step.test(string))].map(
        (what) => `${path}: names a mode: ${what}`,
      )
    })
}

/** The system's ssh and ping, and what a playbook names to list instances, are the programs that are run besides ourselves. */
const MAY_SPAWN = ['node/programs.ts', 'view/source/run-lister.ts']

export function processUsers(files: Files): readonly string[] {
  return files
    .filter(({ path }) => path !== 'cli.ts')
    .flatMap((file) => {
      const { path } = file
      const words = [...partsOf(file.text).code.matchAll(/\b(?:process|console)\b/g)].map(([word]) => word)
      const forbidden = MAY_SPAWN.includes(path) ? /^(?:node:)?process$/ : /^(?:node:)?(?:process|child_process)$/
      const imported = importsOf(file).filter(({ from }) => forbidden.test(from))
      return [...words, ...imported.map(({ from }) => from)].map((what) => `${path}: only cli.ts uses ${what}`)
    })
}
