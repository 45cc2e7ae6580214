/** Where a playbook is looked for when none is named, in this order. */
export const PLAYBOOK_PLACES = ['./playbooks/push.yml', '/etc/edgepush/playbooks/push.yml'] as const
