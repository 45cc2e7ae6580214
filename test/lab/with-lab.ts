import { describe } from 'vitest'
import { labMissing } from '../../lab/lab-missing.ts'

const missing = labMissing()
if (missing.length > 0) console.error(`SKIPPED what needs a lab; this machine lacks:\n  ${missing.join('\n  ')}`)

/** A suite that needs a lab: skipped, loudly and counted, where there can be none. */
export const describeLab = describe.skipIf(missing.length > 0)
