import { DomainError } from '@sextant/domain';
import type { Command } from 'commander';
import { readAccess } from '../access/access-file.js';
import { mintToken, renewingToken, type TokenAuthority } from '../access/token-mint.js';

/** Which gateway, and as whom. */
export interface ConnectionFlags {
  tenant?: string;
  url?: string;
  token?: string;
}

export interface Connection {
  url: string;
  /** the bearer token for the next request */
  token: () => Promise<string>;
}

/** Adds `--tenant`, `--url` and `--token` to a command. */
export function withConnection(command: Command): Command {
  return command
    .option('--tenant <tenant>', 'a tenant of the local installation (default: the one that npm start made)')
    .option('--url <url>', 'GraphQL endpoint (default: that of the local installation)')
    .option('--token <token>', 'bearer token (default: one of the local installation)');
}

/** @throws DomainError INVALID_INPUT naming the flag, CONFIG_INVALID when nothing runs here */
export function connectionOf({ tenant, url, token }: ConnectionFlags, authority: TokenAuthority): Connection {
  if (tenant !== undefined && token !== undefined) {
    throw new DomainError(
      'INVALID_INPUT',
      'give --tenant or --token, not both: a token belongs to one tenant already',
      { path: '--tenant' },
    );
  }
  const endpoint = url ?? readAccess(authority.dataDir).graphql;
  if (!URL.canParse(endpoint))
    throw new DomainError('INVALID_INPUT', `--url must be a URL, got "${endpoint}"`, { path: '--url' });
  if (tenant !== undefined) {
    return {
      url: endpoint,
      token: renewingToken((ttlSeconds) => mintToken(authority, { tenant, role: 'operator', ttlSeconds })),
    };
  }
  const bearer = token ?? readAccess(authority.dataDir).tokens.operator;
  return { url: endpoint, token: () => Promise.resolve(bearer) };
}
