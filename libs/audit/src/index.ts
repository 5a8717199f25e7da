export { AuditLog, type AuditLogOptions } from './audit-log';
export { AuditError } from './errors';
export { auditEntrySchema, auditRecordSchema, type AuditEntry, type AuditHead, type AuditRecord } from './record';
export { verifyAudit, type AuditProblem, type AuditProblemKind, type AuditVerdict, type VerifyOptions } from './verify';
export * from './approval';
