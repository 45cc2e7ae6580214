import { ebtables } from '../../artifacts/ebtables.ts'
import { routes } from '../../artifacts/routes.ts'
import { CONF, CONTROLLER_ARTIFACTS, unfit } from '../managed/index.ts'
import { BRIDGE, CONTROLLER_OPTIONS, EUCALYPTUS } from '../managed/options.ts'
import type { Mode } from '../mode.ts'
import { desired, remains } from './desired.ts'

export const managedNovlan: Mode = {
  name: 'MANAGED-NOVLAN',
  conf: CONF,
  duties: {
    cc: { asksFacts: false, options: CONTROLLER_OPTIONS, artifacts: [...CONTROLLER_ARTIFACTS, routes], checks: [] },
    nc: { asksFacts: false, options: [EUCALYPTUS, BRIDGE], artifacts: [ebtables({ owned: '^EUCA_' })], checks: [] },
  },
  unfit,
  desired,
  remains,
}
