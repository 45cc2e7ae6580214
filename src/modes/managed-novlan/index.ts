import { ebtables } from '../../artifacts/ebtables.ts'
import { routes } from '../../artifacts/routes.ts'
import { CHECKS, CONF, controllerArtifacts, unfit } from '../managed/index.ts'
import { BRIDGE, CONTROLLER_OPTIONS, EUCALYPTUS } from '../managed/options.ts'
import type { Mode } from '../mode.ts'
import { desired, LAYOUT, remains } from './desired.ts'

export const managedNovlan: Mode = {
  name: 'MANAGED-NOVLAN',
  conf: CONF,
  duties: {
    cc: {
      asksFacts: false,
      options: CONTROLLER_OPTIONS,
      artifacts: [...controllerArtifacts(LAYOUT), routes],
      checks: CHECKS,
    },
    nc: { asksFacts: false, options: [EUCALYPTUS, BRIDGE], artifacts: [ebtables({ owned: '^EUCA_' })], checks: [] },
  },
  unfit,
  desired,
  remains,
}
