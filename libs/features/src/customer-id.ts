import { createHash } from 'node:crypto';

/**
 * The customer's id in the graph: known from tenant and ref alone, so that ingestion needs no look-up.
 *
 * @param ref  the company's own name of the customer, `source:externalId`
 * @returns    `cus_` and 24 hexadecimal digits (96 bits) of SHA-256 over tenant, NUL, ref
 */
export function customerIdOf(tenantId: string, ref: string): string {
  return `cus_${createHash('sha256').update(`${tenantId}\0${ref}`, 'utf8').digest('hex').slice(0, 24)}`;
}
