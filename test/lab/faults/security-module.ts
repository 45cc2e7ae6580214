// What SELinux or AppArmor does to a daemon, done by another security module of the kernel: Landlock. The daemon is root and
// its file is there, and the kernel does not let it read it.

import type { LabNode } from '../../../lab/make-node.ts'

/** A program that lets another read nothing but these, and becomes it: itself, its libraries, what the kernel shows. */
const CONFINED = String.raw`
my ($real, @words) = @ARGV;
sub must { $_[0] >= 0 or die "landlock: $!\n"; $_[0] }
my $reading = pack('Q', 4);
my $rules = must(syscall(444, $reading, 8, 0));
for my $place ('/usr', '/lib', '/lib64', '/etc', '/dev', '/proc', '/tmp') {
  sysopen(my $folder, $place, 010000000) or next;
  my $rule = pack('Ql', 4, fileno($folder));
  must(syscall(445, $rules, 1, $rule, 0));
}
must(syscall(446, $rules, 0));
exec {$real} @words;`

/** Shell, in which `real` is the path of the tool: it becomes the tool, confined. */
export const confined = (real: string) => `exec perl /tmp/confined "${real}" "$name" "$@"`

export async function bringPolicy(node: LabNode): Promise<void> {
  await node.run('cat > /tmp/confined', { stdin: CONFINED })
}
