#!/bin/sh
# The guest's kernel: Debian's for clouds, unpacked into the user's cache, where guest-missing.ts finds it. It is not
# installed, for that would put a further kernel into the boot loader of this machine.
#
# Whole or not at all: the folder gets its name when everything is in it.
set -eu
package=linux-image-cloud-amd64
cache=${XDG_CACHE_HOME:-$HOME/.cache}/edgepush
kernel=$cache/guest-kernel
[ ! -e "$kernel" ] || exit 0

mkdir -p "$cache"
work=$(mktemp -d "$cache/guest-kernel.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cd "$work"

# The package of that name is empty and depends on the one with the version in its name.
newest() { apt-cache depends "$package" 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1; }
fetch() { versioned=$(newest) && [ -n "$versioned" ] && apt-get -q download "$versioned"; }
fetch || { apt-get -q update && fetch; }

mkdir unpacked
dpkg-deb -x "$versioned"_*.deb unpacked
mkdir made
mv unpacked/boot/vmlinuz-* made/vmlinuz
mv unpacked/lib made/lib
version=$(ls made/lib/modules)
depmod -b made "$version"
mv -T made "$kernel" || [ -e "$kernel" ]
