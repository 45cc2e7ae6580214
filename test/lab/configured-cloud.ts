// A cloud that publishes no view, and a push by its files.

import { type CloudFiles, type ConfiguredCloud, configuredCloud as cloudOf } from '../../lab/configured-cloud.ts'
import type { Lab } from '../../lab/make-lab.ts'
import { type Pushed, readPushed } from './push.ts'

export interface Cloud extends ConfiguredCloud {
  readonly push: (...args: readonly string[]) => Promise<Pushed>
}

export async function configuredCloud(lab: Lab, name: string, files: CloudFiles): Promise<Cloud> {
  const cloud = await cloudOf(lab, name, files)
  const push = async (...args: readonly string[]) => {
    return readPushed(await lab.edgepush(['push', `${name}/push.yml`, '--json', ...args]))
  }
  return { ...cloud, push }
}
