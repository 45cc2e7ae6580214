// What is run to have a guest: in the host around it, as qemu, and in the guest itself.

import { pathOf } from './guest-missing.ts'
import type { GuestPlan } from './start-guest.ts'

export const guestReady = 'the guest is ready'

const memory = '1536M'

/** Sockets of the servers that share folders with the guest, by the name the guest mounts them by. */
const socketOf = (share: string) => `/run/${share}.sock`

/**
 * The whole network is local and whoever connects has our address: what listens here is only qemu, which passes the
 * connection on as it came. Of this machine the guest is given its root, and no other file systems than those on the way
 * to `wanted`: not /proc, not /sys, not /dev. It may write to none of them.
 */
export function outerScript({ directory, network, address }: GuestPlan, wanted: readonly string[]): string {
  const server = pathOf('virtiofsd') ?? 'virtiofsd'
  const share = (name: string, folder: string, cache: string) =>
    `${server} --socket-path=${socketOf(name)} -o source=${folder},cache=${cache},sandbox=chroot &`
  return `
mount -t tmpfs tmpfs /run
if [ -d /root/.ssh ]; then mount -t tmpfs tmpfs /root/.ssh; fi
ip link set lo up
ip addr add ${address}/32 dev lo
ip route add local ${network} dev lo src ${address}

give() {
  mount --bind "$1" "/run/machine$1"
  mount -o remount,bind,ro "/run/machine$1"
}
mkdir /run/machine
give /
for path in /etc /usr /var ${wanted.join(' ')}; do
  way=
  IFS=/
  for name in \${path#/}; do
    way=$way/$name
    if mountpoint -q "$way" && ! mountpoint -q "/run/machine$way"; then give "$way"; fi
  done
  unset IFS
done

${share('machine', '/run/machine', 'always')}
${share('lab', directory, 'auto')}
for _ in $(seq 500); do if [ -S ${socketOf('machine')} ] && [ -S ${socketOf('lab')} ]; then exit 0; fi; sleep 0.01; done
exit 1
`
}

export function qemu(plan: GuestPlan, kernel: string): readonly string[] {
  const share = (name: string) => [
    ...['-chardev', `socket,id=${name},path=${socketOf(name)}`],
    ...['-device', `vhost-user-fs-pci,chardev=${name},tag=${name},queue-size=1024`],
  ]
  const forward = plan.reached.map((address) => `hostfwd=tcp:${address}:22-${address}:22`)
  const alone = ['restrict=on', 'ipv6=off']
  const network = [`net=${plan.network}`, `host=${plan.address}`, ...alone, ...forward]
  return [
    'qemu-system-x86_64',
    ...['-accel', 'tcg,thread=multi', '-cpu', 'Nehalem', '-smp', '2', '-m', memory],
    ...['-object', `memory-backend-memfd,id=memory,size=${memory},share=on`, '-numa', 'node,memdev=memory'],
    ...['-display', 'none', '-serial', 'stdio', '-monitor', 'none', '-no-reboot'],
    ...share('machine'),
    ...share('lab'),
    ...['-device', 'virtio-rng-pci'],
    ...['-netdev', ['user,id=control', ...alone, 'hostfwd=tcp:127.0.0.1:22-10.0.2.15:22'].join(',')],
    ...['-device', 'virtio-net-pci,netdev=control,mac=02:00:00:00:00:01'],
    ...['-netdev', ['user,id=lab', ...network].join(',')],
    ...['-device', 'virtio-net-pci,netdev=lab,mac=02:00:00:00:00:02'],
    ...['-kernel', `${kernel}/vmlinuz`, '-initrd', `${plan.directory}/guest/initramfs`],
    ...['-append', `console=ttyS0 quiet panic=-1 mitigations=off lab=${plan.directory}`],
  ]
}

/** The guest's PID 1 from then on: bash, because it reaps orphans. */
export function guestScript(files: string, kernel: string): string {
  return `
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C
set -e
trap 'echo "the guest failed in line $LINENO"; echo o >/proc/sysrq-trigger; sleep 60' ERR
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/sshd /dev/pts /dev/shm /lib/modules
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount --bind ${kernel}/lib/modules /lib/modules
modprobe -a 8021q br_netfilter
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
sed -i 's/^root:[^:]*/root:*/' /etc/shadow
sed -i '/^root:/s|[^:]*$|/bin/sh|' /etc/passwd
: >/etc/bash.bashrc
cat >/run/sshd_config <<END
HostKey ${files}/host_key
AuthorizedKeysFile ${files}/key.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
StrictModes no
PrintMotd no
MaxSessions 1000
PidFile /run/sshd.pid
END
/usr/sbin/sshd -f /run/sshd_config -E /run/sshd.log
for _ in $(seq 3000); do if [ -s /run/sshd.pid ]; then break; fi; sleep 0.01; done
[ -s /run/sshd.pid ]
echo '${guestReady}'
while :; do sleep 1000; done
`
}
