import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuditChains, type ChainHead, type Verdict, verifyChain } from '@sextant/audit';
import { DomainError } from '@sextant/domain';
import { Command } from 'commander';
import { MongoClient } from 'mongodb';
import { readAccess } from '../access/access-file.js';

export interface AuditSurroundings {
  dataDir: string;
  /** MONGODB_URI */
  store: string | undefined;
  /** SEXTANT_AUDIT_SECRET */
  secret: string | undefined;
  print: (text: string) => void;
  /** the command has an answer, and it is a bad one */
  fail: () => void;
}

interface VerifyFlags {
  tenant?: string;
  store?: string;
  expect?: string;
}

const TIMEOUT_MS = 5_000;

/** The audit log, judged by somebody who has the secret that links it. */
export function auditCommand(surroundings: AuditSurroundings): Command {
  const verify = new Command('verify')
    .description(
      'read the chain of each tenant and name the first entry that does not hold; exit code 1 when one does not',
    )
    .option('--tenant <tenant>', 'of one tenant only')
    .option('--expect <seq:hash>', 'a head that was kept elsewhere; with --tenant')
    .option('--store <uri>', 'MongoDB (default: MONGODB_URI, else the local installation)')
    .action((flags: VerifyFlags) => verifyAll(surroundings, flags));
  return new Command('audit').description('the audit log of mutations').addCommand(verify);
}

async function verifyAll(surroundings: AuditSurroundings, flags: VerifyFlags): Promise<void> {
  const expected = expectedOf(flags);
  const secrets = secretOf(surroundings).split(',');
  const client = new MongoClient(storeOf(surroundings, flags), { serverSelectionTimeoutMS: TIMEOUT_MS });
  try {
    const chains = new AuditChains(client.db());
    const tenants = flags.tenant === undefined ? await chains.tenants() : [flags.tenant];
    if (tenants.length === 0) surroundings.print('the log is empty\n');
    for (const tenantId of tenants) {
      const verdict = await verifyChain(chains, tenantId, { secrets, expected });
      surroundings.print(`${lineOf(verdict)}\n`);
      if (verdict.broken) surroundings.fail();
    }
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    throw new DomainError('STORE_UNAVAILABLE', `the log cannot be read: ${String(cause)}`, { cause });
  } finally {
    await client.close();
  }
}

function storeOf({ dataDir, store }: AuditSurroundings, flags: VerifyFlags): string {
  const uri = flags.store ?? store ?? readAccess(dataDir).mongodb;
  if (uri !== undefined) return uri;
  throw new DomainError('CONFIG_INVALID', 'set MONGODB_URI, or give --store', { path: '--store' });
}

function lineOf({ tenantId, entries, head, broken }: Verdict): string {
  if (!broken) return `${tenantId}: all ${entries} entries hold; head ${head.seq}:${head.hash}`;
  return `${tenantId}: entry ${broken.seq} does not hold (${broken.why}); ${entries} before it do`;
}

function expectedOf({ tenant, expect }: VerifyFlags): ChainHead | null {
  if (expect === undefined) return null;
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(expect) ?? [];
  if (tenant !== undefined && seq !== undefined && hash !== undefined) return { seq: Number(seq), hash };
  const message = '--expect needs --tenant and a head as verify printed it, <number>:<64 hexadecimal digits>';
  throw new DomainError('INVALID_INPUT', message, { path: '--expect' });
}

function secretOf({ dataDir, secret }: AuditSurroundings): string {
  if (secret !== undefined) return secret;
  const path = join(dataDir, 'keys', 'audit-secret');
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    const message = `set SEXTANT_AUDIT_SECRET: ${path} of the local installation cannot be read`;
    throw new DomainError('CONFIG_INVALID', message, { cause });
  }
}
