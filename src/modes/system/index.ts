import { bridge } from '../../artifacts/bridge.ts'
import type { Mode } from '../mode.ts'
import { interfaceName } from '../option-checks.ts'
import { CHECKS, SYMPTOMS } from './checks.ts'
import { desired, remains } from './desired.ts'

export const system: Mode = {
  name: 'SYSTEM',
  conf: { keys: [], network: 'foreign' },
  duties: {
    nc: {
      asksFacts: false,
      options: [{ name: 'VNET_BRIDGE', check: interfaceName }],
      artifacts: [bridge],
      checks: CHECKS,
      symptoms: SYMPTOMS,
    },
  },
  unfit: () => [],
  desired,
  remains,
}
