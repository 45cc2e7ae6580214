/** The verbs about nodes: what `--help` says of each, and the options that not all of them take. */

import { Option } from 'commander'
import { BUNDLE_GUARDS, VIEW_GUARDS } from '../run/guard.ts'
import {
  byOption,
  confirmWindowOption,
  everyOption,
  fingerprintOption,
  forceOption,
  forksOption,
  formatOption,
  jsonOption,
  metricsOption,
  viewOptions,
  yesOption,
} from './options.ts'

export interface Verb {
  readonly does: string
  readonly example: string
  readonly options: readonly Option[]
}

/** About a run whose commits nobody has confirmed yet. */
export const SETTLING_VERBS = {
  confirm: {
    does: 'keep what a run has committed and waits for you to confirm',
    example: 'edgepush confirm 20260101T120000Z-0a1b2c',
    options: [forksOption()],
  },
  abort: {
    does: 'take back what a run has committed and nobody has confirmed',
    example: 'edgepush abort 20260101T120000Z-0a1b2c',
    options: [forksOption()],
  },
  extend: {
    does: 'give a commit more time to be confirmed',
    example: 'edgepush extend 20260101T120000Z-0a1b2c --by 10m',
    options: [byOption(), forksOption()],
  },
} as const

export const RETRY = {
  does: 'push again to the nodes of a push (default: the last) that came to no good end',
  example: 'edgepush retry 20260101T120000Z-0a1b2c',
  options: [...viewOptions(), confirmWindowOption(), forceOption({ ...VIEW_GUARDS, ...BUNDLE_GUARDS }), forksOption()],
} as const

export const UNITS_VERB = {
  does: 'print the systemd units of a controller that pushes by itself',
  example: 'edgepush units watch /etc/edgepush/playbooks/push.yml --out units',
  options: [new Option('--out <dir>', 'write the files into this folder instead of printing them')],
} as const

export const SHOW_VERB = {
  does: 'list the tags and addresses that clouds without a view were given by us, and since when',
  example: 'edgepush show',
  options: [jsonOption()],
} as const

export const LOCK_VERBS = {
  status: {
    does: 'list the nodes that runs have, and whether these runs still live',
    example: 'edgepush lock status',
    options: [jsonOption()],
  },
  release: {
    does: 'take its nodes from a run, by hand, after saying whose they are',
    example: 'edgepush lock release 20260101T120000Z-0a1b2c',
    options: [yesOption()],
  },
} as const

export const TRUST_VERBS = {
  scan: {
    does: 'show the host keys that nodes offer now, and what known_hosts says of them',
    example: 'edgepush trust scan -i inventories/lab.yml',
    options: [forksOption()],
  },
  add: {
    does: 'write the host keys of nodes that are not known yet into known_hosts',
    example: 'edgepush trust add -i inventories/lab.yml --node nc-05',
    options: [yesOption(), fingerprintOption(), forksOption()],
  },
  list: {
    does: 'list the host keys that known_hosts has for nodes; asks nobody',
    example: 'edgepush trust list -i inventories/lab.yml',
    options: [],
  },
} as const

export const VERBS = {
  push: {
    does: 'bring the nodes to what the view says',
    example: 'edgepush push -i inventories/lab.yml --view view.xml --node nc-05',
    options: [
      ...viewOptions(),
      confirmWindowOption(),
      forceOption({ ...VIEW_GUARDS, ...BUNDLE_GUARDS }),
      forksOption(),
    ],
  },
  watch: {
    does: 'follow the view, and push what it changes to the nodes that it changes',
    example: 'edgepush watch playbooks/push.yml --metrics /var/lib/node_exporter/edgepush.prom',
    options: [...viewOptions(), everyOption(), metricsOption(), forksOption()],
  },
  render: {
    does: 'write what each node should hold, as files to read',
    example: 'edgepush render -i inventories/lab.yml --view view.xml --out rendered',
    options: [
      ...viewOptions(),
      new Option('--out <dir>', 'write the files below this folder instead of printing them'),
      forksOption(),
    ],
  },
  status: {
    does: 'tell what became of each node in its last run',
    example: 'edgepush status -i inventories/lab.yml --live',
    options: [new Option('--live', 'ask the nodes, too'), forksOption()],
  },
  drift: {
    does: 'tell what on the nodes is not as their last push left it',
    example: 'edgepush drift -i inventories/lab.yml --detailed-exitcode',
    options: [new Option('--detailed-exitcode', 'end with 2 when there is any'), forksOption()],
  },
  nodes: {
    does: 'list who is in the inventory',
    example: "edgepush nodes -i inventories/lab.yml -l 'canary:!nc-02'",
    options: [],
  },
  doctor: {
    does: 'try the login to each node, and what is asked first',
    example: 'edgepush doctor -i inventories/lab.yml --node nc-05',
    options: [
      new Option('--sudoers', 'ask nobody, but print the line that lets the login user become root for us'),
      forksOption(),
    ],
  },
  adopt: {
    does: 'take nodes over from eucanetd',
    example: 'edgepush adopt -i inventories/lab.yml --view view.xml --node nc-05',
    options: [
      ...viewOptions(),
      forceOption({ ...VIEW_GUARDS, difference: 'a node that does not hold what the view asks for' }),
      forksOption(),
    ],
  },
  release: {
    does: 'give nodes back to eucanetd, with everything as it is',
    example: 'edgepush release -i inventories/lab.yml --node nc-05',
    options: [forksOption()],
  },
  flush: {
    does: 'take everything of ours from nodes',
    example: 'edgepush flush -i inventories/lab.yml --node nc-05',
    options: [
      new Option('--dynamic', 'leave the chains and the jumps to them, with nothing in them'),
      ...viewOptions("a view whose pool says which addresses are the cloud's, where no bundle of ours ever was"),
      forksOption(),
    ],
  },
  meter: {
    does: 'tell the traffic of each instance',
    example: 'edgepush meter -i inventories/lab.yml --view view.xml --format csv',
    options: [...viewOptions(), formatOption(), forksOption()],
  },
} as const
