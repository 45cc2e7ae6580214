/**
 * The pure heart: what the view asks of one node, as files.
 *
 * Same input, same bytes: nothing here knows the time, the run or the view's version.
 */

import { createHash } from 'node:crypto'
import { type Artifact, PHASES } from '../artifacts/artifact.ts'
import { persistence } from '../artifacts/persistence.ts'
import { dutyOf, type Facts, type Mode, type Node } from '../modes/mode.ts'
import type { View } from '../view/view.ts'
import { type Bundle, type BundleFile, MANIFEST, SCRIPT } from './bundle.ts'
import { countEntries } from './entries.ts'
import { render } from './render.ts'
import { type Templates, templateAt } from './templates.ts'

export interface Task {
  readonly view: View
  readonly mode: Mode
  readonly node: Node
  readonly facts: Facts
  readonly templates: Templates
}

export function compile({ view, mode, node, facts, templates }: Task): Bundle {
  const desired = mode.desired(view, node, facts)
  const made = dutyOf(mode, node.role).artifacts.map(({ name, file }) => {
    return { name: file, text: render(templateAt(templates, `${mode.name.toLowerCase()}/${name}.hbs`), desired) }
  })
  const unit = node.persist ? render(templateAt(templates, `node/${persistence.file}.hbs`), {}) : ''
  return assemble(mode, node, [...made, { name: persistence.file, text: unit }], templates)
}

/** What of a mode is left on a node: nothing (`flushed`), or the chains and the jumps to them (`skeleton`). */
export interface Remains extends Omit<Task, 'view'> {
  /** Says which addresses may be ours on a node that has no bundle of ours. */
  readonly view: View | undefined
  readonly kind: 'flushed' | 'skeleton'
}

export function compileRemains({ view, mode, node, facts, templates, kind }: Remains): Bundle {
  const remains = mode.remains(view, node, facts)
  const made = dutyOf(mode, node.role).artifacts.map(({ name, file }) => {
    const path = `${mode.name.toLowerCase()}/${kind}/${name}.hbs`
    return { name: file, text: path in templates ? render(templateAt(templates, path), remains) : '' }
  })
  return assemble(mode, node, made, templates)
}

/** An artifact without text has no file: nothing of its kind is wanted. */
function assemble(mode: Mode, node: Node, made: readonly BundleFile[], templates: Templates): Bundle {
  const script = { name: SCRIPT, text: scriptText(mode, node, templates) }
  const files = byName([...made.filter(({ text }) => text !== ''), script])
  const manifest = { name: MANIFEST, text: manifestText(mode, node, files) }
  return { node: node.name, digest: sha256(manifest.text), files: byName([...files, manifest]) }
}

/** The largest file of a bundle, made once for all nodes with the same role and options. */
function scriptText(mode: Mode, node: Node, templates: Templates): string {
  const ofMode = scripts.get(templates)?.get(mode) ?? new Map<string, string>()
  scripts.set(templates, (scripts.get(templates) ?? new WeakMap()).set(mode, ofMode))
  const key = JSON.stringify([node.role, Object.entries(node.options).sort()])
  const text = ofMode.get(key) ?? render(templateAt(templates, 'node/apply.sh.hbs'), scriptData(mode, node, templates))
  ofMode.set(key, text)
  return text
}

/** By role and options. */
const scripts = new WeakMap<Templates, WeakMap<Mode, Map<string, string>>>()

/** What every apply script is made of besides its artifacts, in this order. */
const PARTS = ['journal', 'transaction', 'window', 'handover'] as const

function scriptData(mode: Mode, { options, role }: Node, templates: Templates): object {
  const duty = dutyOf(mode, role)
  // Also on a node that is not to have it: it may have had it before.
  const artifacts = [...duty.artifacts, persistence]
  return {
    parts: PARTS.map((part) => templateAt(templates, `node/${part}.sh`)),
    options: Object.entries(options)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => ({ name, value })),
    artifacts: artifacts.map((artifact) => ({
      name: artifact.name,
      file: artifact.file,
      needs: artifact.needs,
      functions: artifact.functions,
      pieces: pieces(artifact),
    })),
    checks: duty.checks,
    swept: artifacts.map(({ name }) => name).toReversed(),
  }
}

/** In shell a function must have a body. */
function pieces({
  check,
  world,
  steps,
  leave,
  tidy,
  show,
  alike,
}: Artifact): readonly { name: string; body: string }[] {
  const bodies = {
    check,
    world,
    ...Object.fromEntries(PHASES.map((phase) => [phase, steps[phase] ?? ''])),
    leave,
    tidy: tidy ?? '',
    show,
    alike: alike ?? 'cat',
  }
  return Object.entries(bodies).map(([name, body]) => ({ name, body: body || ':' }))
}

/** Its entries are told by a node of the bundle that it has. One line per file, so that a node can check the digests with sed and sha256sum. */
function manifestText(mode: Mode, node: Node, files: readonly BundleFile[]): string {
  const digests = Object.fromEntries(files.map(({ name, text }) => [name, sha256(text)]))
  const { name, address } = node
  const manifest = { mode: mode.name, node: name, address, entries: countEntries(files), files: digests }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

function byName(files: readonly BundleFile[]): readonly BundleFile[] {
  return files.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
