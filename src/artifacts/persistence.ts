/**
 * What makes the last confirmed bundle anew when the node is started: a unit of systemd, and the link that enables it.
 *
 * Invariants: it is the last of every mode, so a node is told to make anew only what stands; its file is exchanged by
 * rename; without `persist` in the inventory a node has neither. The unit names no bundle: whatever is current is made.
 */

import { type Artifact, sh } from './artifact.ts'

const FUNCTIONS = sh`
persistence_place=/etc/systemd/system
# A rehearsal has the node's own /etc.
persistence_places() {
  if [ -n "$rehearsing" ]; then persistence_folder=$work/systemd; else persistence_folder=$persistence_place; fi
  persistence_unit=$persistence_folder/$persistence_file
  persistence_wants=$persistence_folder/multi-user.target.wants
  persistence_link=$persistence_wants/$persistence_file
}
persistence_enabled() { [ -L "$persistence_link" ] && [ "$(readlink "$persistence_link")" = "$persistence_place/$persistence_file" ]; }
persistence_reload() { [ -n "$rehearsing" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload; }
persistence_remove() {
  persistence_places
  [ -e "$persistence_unit" ] || [ -L "$persistence_link" ] || return 0
  rm -f "$persistence_link" "$persistence_unit" && sync "$persistence_folder" && persistence_reload
}
# What systemctl enable does.
persistence_enable() {
  mkdir -p "$persistence_wants" && ln -sfn "$persistence_place/$persistence_file" "$persistence_link" && sync "$persistence_wants"
}`

export const persistence: Artifact = {
  name: 'persistence',
  file: 'edgepush-restore.service',
  needs: [],
  functions: FUNCTIONS,
  check: sh`
[ ! -f "$want/$persistence_file" ] || [ -d "$persistence_place" ] ||
  { complain "there is no $persistence_place: persist is for nodes with systemd"; return 1; }`,
  world: '',
  leave: 'persistence_remove',
  tidy: sh`[ ! -e "$persistence_place/$persistence_file.new" ] || rm -f "$persistence_place/$persistence_file.new"`,
  steps: {
    loosen: sh`
if [ ! -f "$want/$persistence_file" ]; then persistence_remove; return; fi
persistence_places
( umask 022
  mkdir -p "$persistence_folder" && cat "$want/$persistence_file" > "$persistence_unit.new" && sync "$persistence_unit.new" &&
    mv -fT "$persistence_unit.new" "$persistence_unit" && persistence_enable
) || return 1
# Going back to one that somebody had disabled.
[ ! -f "$want/expected/persistence" ] || grep -q '^#=' "$want/expected/persistence" || rm -f "$persistence_link"
sync "$persistence_folder" && persistence_reload`,
  },
  show: sh`
persistence_places
[ ! -e "$persistence_unit" ] || cat "$persistence_unit"
if persistence_enabled; then echo '#= it is enabled'; fi`,
}
