import type { Options } from '../mode.ts'

/** Where the node controller and its tools look for what concerns the network. */
export function runFolder({ EUCALYPTUS = '' }: Options): string {
  return `${EUCALYPTUS.replace(/\/$/, '')}/var/run/eucalyptus/net`
}
