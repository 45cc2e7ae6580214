import { desiredWith, remainsWith } from '../managed/desired.ts'

const LAYOUT = { vlans: false }

export const desired = desiredWith(LAYOUT)
export const remains = remainsWith(LAYOUT)
