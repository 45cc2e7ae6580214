// A cloud of the modes with controllers, and who reaches whom in it.

import type { World } from '../../lab/world.ts'
import { idOf } from '../lab/packets.ts'

/** Two members of a group on two nodes, of which only one has a public address, and one of another group. */
export const world: World = {
  instances: {
    [idOf('a')]: { node: 'nc-01', groups: ['sg-11111111'], public: true },
    [idOf('b')]: { node: 'nc-01', groups: ['sg-22222222'], public: true },
    [idOf('c')]: { node: 'nc-02', groups: ['sg-11111111'] },
  },
  groups: {
    'sg-11111111': ['tcp 22 from anywhere', 'icmp from anywhere'],
    'sg-22222222': ['tcp 80-90 from 10.111.200.1', 'tcp 3306 from sg-11111111'],
  },
}

/** As both profiles have it. */
export const whatGroupsSay = `
outside  eip-a     tcp 22     a sees outside
outside  eip-a     tcp 23     dropped
outside  eip-b     tcp 80     dropped
outside  eip-a     icmp       answered
# members of a group reach each other, on two nodes, too
a        c         tcp 23     c sees a
a        b         tcp 3306   b sees a
a        b         tcp 22     dropped
b        a         tcp 22     a sees b
b        a         tcp 23     dropped
# by a public address, with a public address or without one
a        eip-b     tcp 80     b sees eip-a
c        eip-b     tcp 80     dropped
c        eip-b     tcp 3306   b sees c
b        eip-a     tcp 22     a sees eip-b
# out, and to the metadata service
a        outside   tcp 9      outside sees eip-a
c        outside   tcp 9      outside sees cc-01
a        metadata  tcp 80     clc-01 sees eip-a
c        metadata  tcp 80     clc-01 sees cc-01
`
