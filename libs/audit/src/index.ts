export { AuditChains, type AuditRecord } from './audit-chain.repository.js';
export type { AuditedField, AuditedMutation, AuditEntry, AuditEvent, ChainHead } from './audit-entry.js';
export { AuditLog, type AuditLogOptions } from './audit-log.js';
export { type BrokenLink, type Verdict, verifyChain } from './audit-verification.js';
