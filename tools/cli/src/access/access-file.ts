import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DomainError } from '@sextant/domain';
import { z } from 'zod';

const access = z.object({
  graphql: z.url(),
  mongodb: z.string().optional(),
  tokens: z.object({ operator: z.string() }),
});
export type Access = z.output<typeof access>;

/** What the launcher wrote about the running installation. @throws DomainError CONFIG_INVALID when there is none */
export function readAccess(dataDir: string): Access {
  const path = join(dataDir, 'access.json');
  try {
    return access.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new DomainError(
      'CONFIG_INVALID',
      `${path} cannot be read: run npm start first, or give --url and --token`,
      { cause },
    );
  }
}
