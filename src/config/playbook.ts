/**
 * How a run goes.
 *
 * Invariant: everything in here is honoured by a run.
 */

import { dirname, join, resolve } from 'node:path'
import type { Target } from '../node/transport.ts'
import { type Reading, STRICT } from '../view/parse.ts'
import type { Defect } from './defect.ts'
import { type Document, loadDocument } from './document.ts'
import { parseDuration } from './duration.ts'
import { resolvePath, toTarget } from './login.ts'
import { PLAYBOOK_SCHEMA, type PlaybookYaml } from './playbook.schema.ts'
import { findStageDefects, IMPLIED, type Stage, toStage } from './stage.ts'

export interface Playbook {
  readonly name: string
  /** Absent when the playbook is implied by an inventory. */
  readonly document: Document<PlaybookYaml> | undefined
  readonly inventory: FileReference
  /** Absent when the playbook leaves it to the command line. */
  readonly source: Source | undefined
  /** How a view of this cloud is read, wherever it comes from. */
  readonly reading: Reading
  /** Milliseconds after which a view is doubted. */
  readonly maxAge: number | undefined
  /** The inventory has only some of the view's nodes, on purpose. */
  readonly partial: boolean
  /** How much may change at once, in percent. */
  readonly limits: { readonly changed: number | undefined; readonly shrink: number | undefined }
  readonly stages: readonly Stage[]
}

export interface FileReference {
  readonly file: string
  /** Who names it: a flag, or `file:line:column`. */
  readonly namedBy: string
}

/** Where the view comes from; with `instances` the file is a configuration file. */
type Source = (
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'ssh'; readonly target: Target; readonly file: string }
) & { readonly instances?: InstanceSource | undefined }

type InstanceSource =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'command'; readonly command: readonly string[] }

export function loadPlaybook(file: string, namedBy: string): Playbook {
  const document = loadDocument(file, namedBy, PLAYBOOK_SCHEMA)
  const { name, inventory, source, guard, stages } = document.value
  document.refuse([...findSourceDefects(document.value), ...findStageDefects(document.value)])
  return {
    name,
    document,
    inventory: { file: besides(file, inventory), namedBy: document.where(['inventory']) },
    source: source && toSource(source, file),
    reading: toReading(document),
    maxAge: source?.max_age === undefined ? undefined : parseDuration(source.max_age),
    partial: guard?.nodes === 'some',
    limits: { changed: percentOf(guard?.changed), shrink: percentOf(guard?.shrink) },
    stages: stages.map((stage, index) => toStage(stage, (...path) => document.where(['stages', index, ...path]))),
  }
}

/** What an inventory alone means: every node, in one stage. */
export function impliedPlaybook(inventory: FileReference): Playbook {
  return {
    name: 'all',
    document: undefined,
    inventory,
    source: undefined,
    reading: STRICT,
    maxAge: undefined,
    partial: false,
    limits: { changed: undefined, shrink: undefined },
    stages: [{ ...IMPLIED, where: inventory.file }],
  }
}

function percentOf(share: string | undefined): number | undefined {
  return share === undefined ? undefined : Number(share.slice(0, -1))
}

/** Stays relative if it can, so that messages name the file as a person would type it. */
function besides(file: string, path: string): string {
  return /^[~/]/.test(path) ? resolvePath(path, file) : join(dirname(file), path)
}

function toSource(source: NonNullable<PlaybookYaml['source']>, file: string): Source | undefined {
  const instances = source.instances === undefined ? undefined : toInstances(source.instances, file)
  if (source.file !== undefined) return { kind: 'file', file: besides(file, source.file), instances }
  if (source.ssh === undefined) return undefined
  const { ssh } = source
  return { kind: 'ssh', target: toTarget(ssh.host, ssh.host, ssh, file), file: ssh.file, instances }
}

/** A program without a slash is one of PATH, so one beside the file has one. */
function toInstances(
  said: NonNullable<NonNullable<PlaybookYaml['source']>['instances']>,
  file: string,
): InstanceSource {
  if (typeof said === 'string') return { kind: 'file', file: besides(file, said) }
  const [program = '', ...args] = said.command
  return { kind: 'command', command: [program.includes('/') ? resolve(besides(file, program)) : program, ...args] }
}

function toReading({ value: { source }, where }: Document<PlaybookYaml>): Reading {
  const mode = source?.mode === undefined ? undefined : { name: source.mode, saidBy: where(['source', 'mode']) }
  return { lenient: source?.lenient ?? false, mode }
}

function findSourceDefects({ source }: PlaybookYaml): readonly Defect[] {
  if (!source || (source.ssh === undefined) !== (source.file === undefined)) return []
  return [{ path: ['source'], problem: 'must have either the key ssh or the key file' }]
}
