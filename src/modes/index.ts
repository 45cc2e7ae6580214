import { EXIT, Refusal } from '../error.ts'
import type { View } from '../view/view.ts'
import { edge } from './edge/index.ts'
import { managed } from './managed/index.ts'
import { managedNovlan } from './managed-novlan/index.ts'
import type { Mode } from './mode.ts'
import { staticMode } from './static/index.ts'
import { system } from './system/index.ts'

export const MODES: readonly Mode[] = [edge, managed, managedNovlan, staticMode, system]

/** The mode that a view asks for, if it can serve this view. */
export function modeOf(view: View, origin: string): Mode {
  const mode = modeNamed(view.mode, origin)
  const reasons = mode.unfit(view)
  if (reasons.length === 0) return mode
  throw new Refusal(EXIT.badView, reasons.map((reason) => `${origin}: ${reason}`).join('\n'))
}

export function modeNamed(name: string, origin: string): Mode {
  const mode = MODES.find((known) => known.name === name)
  if (mode) return mode
  const known = MODES.map((one) => one.name).join(', ')
  throw new Refusal(EXIT.badView, `${origin}: the view's mode is ${name}; this version serves ${known}`)
}
