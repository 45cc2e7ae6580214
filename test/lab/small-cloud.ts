// A cloud in which every rule of a node has a packet that shows it: two machines of a group on one node and one on
// another, groups that are only here, only there or on both, with and without elastic IPs.

import type { World } from '../../lab/world.ts'
import { idOf } from './packets.ts'

export const smallCloud: World = {
  instances: {
    [idOf('a')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true },
    [idOf('b')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'] },
    [idOf('c')]: { node: 'nc-01', groups: ['sg-bbbbbbbb'], public: true },
    [idOf('d')]: { node: 'nc-02', groups: ['sg-aaaaaaaa', 'sg-cccccccc'], public: true },
    [idOf('e')]: { node: 'nc-02', groups: ['sg-cccccccc'] },
    [idOf('f')]: { node: 'nc-02', groups: ['sg-dddddddd'] },
  },
  groups: {
    'sg-aaaaaaaa': ['tcp 22 from anywhere', 'icmp from anywhere', 'udp 5000-5001 from sg-cccccccc'],
    'sg-bbbbbbbb': ['tcp 80 from 192.0.2.7', 'tcp 3306 from sg-aaaaaaaa', 'tcp 8000 from 10.111.200.0/24'],
    'sg-cccccccc': ['udp 53 from sg-bbbbbbbb'],
    'sg-dddddddd': ['tcp 443 from sg-aaaaaaaa'],
  },
}
