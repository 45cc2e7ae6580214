# shellcheck shell=sh
# What `npm run demo` and `npm test` need, made where it can be made and named where it cannot: a Node.js in range, the
# npm packages, the build, the Debian packages of the lab. Sourced with the repository's root as working directory.
#
# Speaks on standard error only, and only when there is something to do.

export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

set_up() { # [command that is a package of the same name, or command=package]...
  check_node && install_npm_packages && build && install_debian_packages "$@"
}

say() {
  printf '%s\n' "$*" >&2
}

check_node() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    say 'Missing: Node.js ^20.19 or >=22.12, with npm. See https://nodejs.org/en/download'
    return 1
  fi
  in_range='const [major, minor] = process.versions.node.split(".").map(Number)
    process.exitCode = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1'
  node -e "$in_range" && return
  say "Missing: Node.js ^20.19 or >=22.12; this is $(node --version). See https://nodejs.org/en/download"
  return 1
}

# npm writes node_modules/.package-lock.json last, so that an installation which was interrupted is done again.
install_npm_packages() {
  installed=node_modules/.package-lock.json
  if [ -e "$installed" ] && [ -z "$(find package-lock.json -newer "$installed")" ]; then return; fi
  say 'Installing npm packages (npm ci)'
  quietly npm ci --include=dev --no-audit --no-fund || return
  touch "$installed"
}

# Not when nothing has changed: the demo must also run for somebody who may not write here.
build() {
  built=dist/lab/demo.js
  if [ -e "$built" ] && [ -z "$(find src lab package.json tsconfig*.json -type f -newer "$built")" ]; then return; fi
  say 'Building (npm run build)'
  if quietly npm run build; then touch "$built"; return; fi
  # tsc writes what it can even when it fails; that must not count as built.
  rm -f "$built"
  return 1
}

# Without them the lab cannot run; the demo and the tests say so and do what they can.
install_debian_packages() {
  packages=$(missing_packages lab-missing.js) || return
  for word in "$@"; do command -v "${word%%=*}" >/dev/null || packages="$packages ${word#*=}"; done
  install_packages "$packages"
}

# What the tests that need VLANs run in: qemu, and a kernel. Without it they say so and are skipped.
set_up_guest() {
  packages=$(missing_packages guest/guest-missing.js) || return
  install_packages "$packages"
  [ "$(uname -sm)" = "Linux x86_64" ] && [ "$(id -u)" -eq 0 ] || return 0
  for command in apt-get depmod; do command -v "$command" >/dev/null || return 0; done
  quietly sh lab/guest/fetch-kernel.sh || say 'Not fetched: the kernel of the guest'
}

install_packages() {
  packages=$1
  [ "$(uname)" = Linux ] && [ -n "$packages" ] || return 0
  if ! command -v apt-get >/dev/null; then
    say "Not installed, and no apt-get to do it (names as in Debian): $packages"
  elif [ "$(id -u)" -ne 0 ]; then
    say "Not installed: $packages"
    say "  sudo apt-get install $packages"
  else
    say "Installing Debian packages: $packages (their services are not started)"
    quietly install_without_services "$packages" && return
    say "Not installed: $packages"
    if grep -qs '^ID=ubuntu$' /etc/os-release; then say '  On Ubuntu some are in universe: add-apt-repository universe'; fi
  fi
}

missing_packages() { # module
  node --input-type=module --eval \
    "import { missingPackages } from './dist/lab/$1'; console.log(missingPackages().join(' '))"
}

# Debian starts a daemon as soon as its package is there, and again at every boot. On a real machine that would be an
# sshd and a dhcpd which nobody asked for: the lab runs its own, in namespaces. A policy-rc.d that answers 101 forbids
# the start; whatever was in its place comes back when we are done, also when we are interrupted.
policy=/usr/sbin/policy-rc.d
policy_mark='written by edgepush while it installs packages'

install_without_services() (
  trap restore_policy EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  forbid_services
  export DEBIAN_FRONTEND=noninteractive
  apt="apt-get -q -y -o DPkg::Lock::Timeout=300"
  $apt update
  # shellcheck disable=SC2086 # a list of words
  $apt install --no-install-recommends $1 || exit
  for unit in $(units_of "$1"); do systemctl disable "$unit" || :; done
)

# A saved policy, or one with our mark, is there already when another run is installing or one was killed.
forbid_services() {
  if [ -e "$policy" ] && ! grep -q "$policy_mark" "$policy"; then mv "$policy" "$policy.edgepush-saved"; fi
  printf '#!/bin/sh\n# %s\nexit 101\n' "$policy_mark" >"$policy.edgepush-new"
  chmod 755 "$policy.edgepush-new"
  mv "$policy.edgepush-new" "$policy"
}

restore_policy() {
  if [ -e "$policy.edgepush-saved" ]; then mv "$policy.edgepush-saved" "$policy"; return; fi
  if grep -qs "$policy_mark" "$policy"; then rm -f "$policy"; fi
}

units_of() {
  command -v systemctl >/dev/null || return 0
  case " $1 " in *' openssh-server '*) echo ssh.service ssh.socket ;; esac
  case " $1 " in *' isc-dhcp-server '*) echo isc-dhcp-server.service isc-dhcp-server6.service ;; esac
}

# What it says is shown when it fails. The file has no name while it is written to, so an interruption leaves nothing.
quietly() {
  log=$(mktemp) || return
  exec 8>"$log" 9<"$log"
  rm -f "$log"
  result=0
  "$@" </dev/null >&8 2>&1 8>&- 9<&- || result=$?
  [ "$result" -eq 0 ] || cat <&9 >&2
  exec 8>&- 9<&-
  return "$result"
}
