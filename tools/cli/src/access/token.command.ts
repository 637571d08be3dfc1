import { DomainError, type Role, ROLE_SCOPES } from '@sextant/domain';
import { Command } from 'commander';
import { mintToken, type TokenAuthority } from './token-mint.js';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const LONGEST_DAYS = 30;

export function tokenCommand(authority: TokenAuthority): Command {
  return new Command('token')
    .description('print a token for the local installation')
    .requiredOption('--tenant <tenant>', 'the tenant that the token opens')
    .requiredOption('--role <role>', Object.keys(ROLE_SCOPES).join(', '))
    .option('--ttl <duration>', 'how long it holds, such as 90s, 30m, 1h, 7d', '1h')
    .action(async ({ tenant, role, ttl }: { tenant: string; role: string; ttl: string }) => {
      const token = await mintToken(authority, { tenant, role: parseRole(role), ttlSeconds: parseTtl(ttl) });
      process.stdout.write(`${token}\n`);
    });
}

function parseRole(text: string): Role {
  if (Object.hasOwn(ROLE_SCOPES, text)) return text as Role;
  throw new DomainError(
    'INVALID_INPUT',
    `--role must be one of ${Object.keys(ROLE_SCOPES).join(', ')}, got "${text}"`,
    { path: '--role' },
  );
}

export function parseTtl(text: string): number {
  const match = /^(\d{1,7})([smhd])$/.exec(text);
  const seconds = Number(match?.[1]) * (SECONDS[match?.[2] ?? ''] ?? Number.NaN);
  if (seconds >= 1 && seconds <= LONGEST_DAYS * 86_400) return seconds;
  throw new DomainError(
    'INVALID_INPUT',
    `--ttl must be a duration such as 90s, 30m, 1h or 7d, at most ${LONGEST_DAYS}d, got "${text}"`,
    { path: '--ttl' },
  );
}
