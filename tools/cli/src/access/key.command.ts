import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { wholeNumber } from '../flags.js';
import { type ConnectionFlags, connectionOf, withConnection } from '../graph/connection.js';
import { alignedRows } from '../output/aligned-rows.js';
import { AccessClient, type KeyAnswer } from './access.client.js';
import type { TokenAuthority } from './token-mint.js';

interface Output {
  print: (text: string) => void;
  say: (line: string) => void;
}

interface CreateFlags extends ConnectionFlags {
  label: string;
  role: string[];
  scope?: string[];
  days: string;
}

const MAX_DAYS = 365;

/** Access keys of machines. */
export function keyCommand(authority: TokenAuthority, { print, say }: Output): Command {
  const clientOf = (flags: ConnectionFlags) => new AccessClient(connectionOf(flags, authority));
  const create = withConnection(new Command('create'))
    .description('create a key and print it; it is told once')
    .requiredOption('--label <text>', 'what it is for')
    .requiredOption('--role <role...>', 'roles, such as web or analyst')
    .option('--scope <scope...>', 'scopes (default: those of the roles)')
    .option('--days <n>', 'how long it holds', '90')
    .action(async (flags: CreateFlags) => {
      const { key, secret } = await clientOf(flags).create({
        ...{ label: flags.label, roles: flags.role, ...(flags.scope && { scopes: flags.scope }) },
        expiresInDays: wholeNumber('--days', flags.days, MAX_DAYS),
        idempotencyKey: randomUUID(),
      });
      say(`key ${key.id} holds until ${key.expiresAt}; it is not shown again`);
      print(`${secret}\n`);
    });
  const list = withConnection(new Command('list'))
    .description('the keys of a tenant, revoked ones too')
    .action(async (flags: ConnectionFlags) => print(keysTable(await clientOf(flags).list())));
  const revoke = withConnection(new Command('revoke'))
    .description('end a key for good, everywhere within five seconds')
    .argument('<id>', 'as `key list` shows it')
    .action(async (id: string, flags: ConnectionFlags) => {
      const { revokedAt } = await clientOf(flags).revoke(id);
      print(`${id} revoked at ${revokedAt}\n`);
    });
  const command = new Command('key').description('access keys of machines');
  for (const sub of [create, list, revoke]) command.addCommand(sub);
  return command;
}

function keysTable(keys: readonly KeyAnswer[]): string {
  const rows = keys.map(({ id, label, roles, expiresAt, revokedAt, lastUsedOn }) => [
    ...[id, label, roles.join(','), lastUsedOn ?? 'never'],
    revokedAt ? `revoked ${revokedAt}` : `until ${expiresAt}`,
  ]);
  return `${alignedRows([['id', 'label', 'roles', 'last used', 'holds'], ...rows], { align: 'words' }).join('\n')}\n`;
}
