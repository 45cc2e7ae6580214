import { desiredWith, remainsWith } from '../managed/desired.ts'

export const LAYOUT = { vlans: false }

export const desired = desiredWith(LAYOUT)
export const remains = remainsWith(LAYOUT)
