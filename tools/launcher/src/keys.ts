import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError, type Role, ROLE_SCOPES } from '@sextant/domain';
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';

export const ISSUER = 'sextant-local';
export const AUDIENCE = 'sextant';
const TOKEN_LIFE = '30d';

/** The local identity provider: a key pair for tokens and a secret between processes, made once and kept in the data folder. */
export interface Keys {
  jwksPath: string;
  signingSecret: string;
  /** links the audit log; for the gateway and auditors only */
  auditSecret: string;
  /** the key that signs price quotes and other statements we hand out */
  privateJwk: JWK;
}

export async function loadOrCreateKeys(dataDir: string): Promise<Keys> {
  const folder = join(dataDir, 'keys');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const jwksPath = join(folder, 'jwks.json');
  const privateJwk = await readPrivateKey(join(folder, 'jwt-private.json'));
  const secret = async (name: string): Promise<string> =>
    (
      await createOnce(join(folder, name), () => Promise.resolve(randomBytes(32).toString('base64url')))
    ).trim();
  const [signingSecret, auditSecret] = [await secret('signing-secret'), await secret('audit-secret')];
  const { d: _private, ...publicJwk } = privateJwk;
  await writeFile(jwksPath, JSON.stringify({ keys: [publicJwk] }));
  return { jwksPath, signingSecret, auditSecret, privateJwk };
}

/** One token a role, for people who try Sextant on their own machine. */
export async function issueTokens(keys: Keys, tenantId: string): Promise<Record<Role, string>> {
  const key = await importJWK(keys.privateJwk, 'ES256');
  const issue = (role: Role): Promise<string> =>
    new SignJWT({ tenant: tenantId, roles: [role], scope: ROLE_SCOPES[role].join(' ') })
      .setProtectedHeader({ alg: 'ES256', ...(keys.privateJwk.kid && { kid: keys.privateJwk.kid }) })
      .setSubject(`local-${role}`)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime(TOKEN_LIFE)
      .sign(key);
  const roles = Object.keys(ROLE_SCOPES) as Role[];
  const tokens = await Promise.all(roles.map(async (role) => [role, await issue(role)] as const));
  return Object.fromEntries(tokens) as Record<Role, string>;
}

async function readPrivateKey(path: string): Promise<JWK> {
  const text = await createOnce(path, newPrivateKey);
  try {
    return JSON.parse(text) as JWK;
  } catch (cause) {
    throw new DomainError(
      'CONFIG_INVALID',
      `${path} holds no key: put back the file, or remove it for a new key (tokens issued before then end)`,
      { cause },
    );
  }
}

async function newPrivateKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return JSON.stringify({
    ...(await exportJWK(privateKey)),
    kid: randomBytes(8).toString('hex'),
    alg: 'ES256',
    use: 'sig',
  });
}

async function createOnce(path: string, make: () => Promise<string>): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await writeFile(path, await make(), { mode: 0o600, flag: 'wx' });
  return readFile(path, 'utf8');
}
