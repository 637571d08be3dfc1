export {
  auditFairness,
  auditGroups,
  type AuditedRows,
  type AuditOptions,
  type FairnessAudit,
  type GroupAudit,
} from './audit.js';
