export { type AccessRule, demandOf, meets, POLICIES, type Policy, unknownPolicies } from './access-rules.js';
export { type Clock, isCalendarDay, systemClock } from './clock.js';
export { checkPageSize, decodeCursor, encodeCursor } from './cursor.js';
export { type NodeKey, nodeIdOf, parseNodeId } from './node-id.js';
export { type Edge, Page, type PageInfo, pageOf } from './page.js';
export { DomainError, ERROR_KINDS, type ErrorCode, type ErrorKind } from './errors.js';
export {
  type Identity,
  isAccessKey,
  isTenantId,
  KEY_CLIENT,
  type Role,
  ROLE_SCOPES,
  type Scope,
  SCOPES,
} from './identity.js';
export {
  type DecimalMoney,
  type MinorMoney,
  minorUnitDigits,
  fromMajor,
  toDecimal,
  toMinor,
} from './money.js';
