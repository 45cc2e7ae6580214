import { describe } from 'vitest'
import { guestMissing } from '../../lab/guest/guest-missing.ts'
import { labMissing } from '../../lab/lab-missing.ts'

const missing = [...labMissing(), ...guestMissing()]
if (missing.length > 0) console.error(`SKIPPED what needs VLANs; this machine lacks:\n  ${missing.join('\n  ')}`)

/** A suite that needs a guest: skipped, loudly and counted, where there can be none. */
export const describeGuest = describe.skipIf(missing.length > 0)
