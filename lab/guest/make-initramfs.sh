#!/bin/sh
# make-initramfs.sh KERNEL-FOLDER FILE: what the guest's kernel needs to take over this machine's files, and no more.
#
# The guest's root is an overlay: below, this machine's root, read only, by virtiofs; above, memory. The lab's folder, of
# which the kernel's command line tells the path (lab=...), is shared as it is, for reading and writing.
set -eu
kernel=$1 file=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for folder in bin dev proc modules machine memory root; do mkdir "$work/$folder"; done

busybox=$(command -v busybox)
cp -L "$busybox" "$work/bin/busybox"
for library in $(ldd "$busybox" | grep -o '/[^ ]*'); do
  mkdir -p "$work/${library%/*}"
  cp -L "$library" "$work/$library"
done

for module in virtio_pci virtiofs overlay virtio_net virtio_rng; do
  modprobe --dirname "$kernel" --set-version "$(ls "$kernel/lib/modules")" --show-depends "$module"
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | while read -r path; do
  [ ! -e "$work/modules/${path##*/}" ] || continue
  cp "$path" "$work/modules"
  echo "insmod /modules/${path##*/}" >>"$work/load"
done

cat >"$work/init" <<'END'
#!/bin/busybox sh
set -e
PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
. /load
mount -t virtiofs machine /machine
mount -t tmpfs -o size=75% memory /memory
mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=/machine,upperdir=/memory/upper,workdir=/memory/work overlay /root
mkdir -p "/root$lab"
mount -t virtiofs lab "/root$lab"
mount --move /proc /root/proc
mount --move /dev /root/dev
exec switch_root /root /bin/bash --norc "$lab/guest/init"
END
chmod 755 "$work/init"

(cd "$work" && find . | busybox cpio -o -H newc) 2>/dev/null | gzip -1 >"$file"
