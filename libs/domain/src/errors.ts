/** How a failure looks to a caller, whatever the transport; `libs/inference-protocol` maps it to gRPC, `libs/platform` to GraphQL. */
export type ErrorKind =
  | 'invalid-input'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'failed-precondition'
  | 'resource-exhausted'
  | 'deadline-exceeded'
  | 'unavailable'
  | 'internal';

/** Every intended failure of the product. The key is the public code; clients may depend on it. */
export const ERROR_KINDS = {
  INVALID_INPUT: 'invalid-input',
  INVALID_CURSOR: 'invalid-input',
  CURSOR_EXPIRED: 'failed-precondition',
  STREAM_OVERFLOW: 'resource-exhausted',
  STREAM_LIMIT_REACHED: 'resource-exhausted',
  INVALID_MONEY: 'invalid-input',
  BATCH_TOO_LARGE: 'invalid-input',
  REQUEST_TOO_LARGE: 'invalid-input',
  QUERY_TOO_DEEP: 'invalid-input',
  QUERY_TOO_LONG: 'invalid-input',
  QUERY_TOO_LARGE: 'invalid-input',
  QUERY_TOO_MANY_ALIASES: 'invalid-input',
  QUERY_TOO_MANY_ROOT_FIELDS: 'invalid-input',
  QUERY_TOO_MANY_DIRECTIVES: 'invalid-input',
  QUERY_TOO_REPETITIVE: 'invalid-input',
  QUERY_FRAGMENT_CYCLE: 'invalid-input',
  QUERY_FRAGMENT_UNUSED: 'invalid-input',
  QUERY_TOO_EXPENSIVE: 'invalid-input',
  PERSISTED_QUERY_NOT_FOUND: 'not-found',
  PERSISTED_QUERY_NOT_SUPPORTED: 'forbidden',
  PERSISTED_QUERY_HASH_MISMATCH: 'invalid-input',
  DOCUMENT_NOT_FOUND: 'not-found',
  DOCUMENT_NOT_SAFELISTED: 'forbidden',
  INTROSPECTION_DISABLED: 'forbidden',
  RATE_LIMITED: 'resource-exhausted',
  DEFER_UNSUPPORTED: 'invalid-input',
  METHOD_NOT_ALLOWED: 'invalid-input',
  NOT_ACCEPTABLE: 'invalid-input',
  UNSUPPORTED_MEDIA_TYPE: 'invalid-input',
  UPLOADS_UNSUPPORTED: 'invalid-input',
  BATCHING_REFUSED: 'invalid-input',
  CSRF_REFUSED: 'invalid-input',
  FEATURE_VECTOR_MISMATCH: 'invalid-input',
  TENSOR_MISMATCH: 'invalid-input',
  CONFIG_INVALID: 'invalid-input',
  MAPPING_INVALID: 'invalid-input',
  IMPORT_SOURCE_INVALID: 'invalid-input',
  DATA_INSUFFICIENT: 'invalid-input',
  UNAUTHENTICATED: 'unauthenticated',
  SIGNATURE_INVALID: 'unauthenticated',
  FORBIDDEN: 'forbidden',
  CUSTOMER_NOT_FOUND: 'not-found',
  PRODUCT_NOT_FOUND: 'not-found',
  CAMPAIGN_NOT_FOUND: 'not-found',
  SEGMENT_NOT_FOUND: 'not-found',
  MODEL_NOT_FOUND: 'not-found',
  JOB_NOT_FOUND: 'not-found',
  MODEL_VERSION_NOT_FOUND: 'not-found',
  HEALTH_SERVICE_NOT_FOUND: 'not-found',
  UPLOAD_NOT_FOUND: 'not-found',
  ACCESS_KEY_NOT_FOUND: 'not-found',
  QUOTE_TOKEN_INVALID: 'invalid-input',
  QUOTE_EXPIRED: 'conflict',
  IDEMPOTENCY_CONFLICT: 'conflict',
  DECISION_NOT_REPLAYABLE: 'failed-precondition',
  GATEWAY_REFUSED: 'internal',
  ARTEFACT_INVALID: 'internal',
  ARTEFACT_HASH_MISMATCH: 'internal',
  VERSION_IN_USE: 'conflict',
  MODEL_TOO_LARGE: 'failed-precondition',
  MODEL_REFUSED: 'failed-precondition',
  MODEL_CONTROL_DISABLED: 'failed-precondition',
  MODEL_STAGE_INVALID: 'failed-precondition',
  MODEL_CHANGING: 'conflict',
  MODEL_REPOSITORY_UNSET: 'failed-precondition',
  UPLOAD_INCOMPLETE: 'failed-precondition',
  IMPORT_LOST: 'unavailable',
  UPLOAD_LIMIT_REACHED: 'resource-exhausted',
  QUEUE_FULL: 'resource-exhausted',
  COMPUTE_BUDGET_EXHAUSTED: 'resource-exhausted',
  INFERENCE_DEADLINE_EXCEEDED: 'deadline-exceeded',
  STORE_DEADLINE_EXCEEDED: 'deadline-exceeded',
  SUBGRAPH_DEADLINE_EXCEEDED: 'deadline-exceeded',
  IDENTITY_UNAVAILABLE: 'unavailable',
  INFERENCE_UNAVAILABLE: 'unavailable',
  INFERENCE_FAILED: 'internal',
  STORE_UNAVAILABLE: 'unavailable',
  SUBGRAPH_UNAVAILABLE: 'unavailable',
  SUBGRAPH_CIRCUIT_OPEN: 'unavailable',
  SUBGRAPH_ANSWER_INVALID: 'unavailable',
  SUPERGRAPH_UNAVAILABLE: 'unavailable',
  REQUEST_CANCELLED: 'conflict',
  CATALOGUE_UNAVAILABLE: 'unavailable',
  GATEWAY_UNAVAILABLE: 'unavailable',
  LIGHTGBM_UNAVAILABLE: 'unavailable',
  TRAINING_FAILED: 'internal',
  TRAINING_CANCELLED: 'conflict',
  TRAINING_DEADLINE_EXCEEDED: 'deadline-exceeded',
  TRAINER_LOST: 'unavailable',
  MONGOD_UNAVAILABLE: 'unavailable',
  VULKAN_UNAVAILABLE: 'unavailable',
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;

/**
 * An intended failure. The message names the offending value and the remedy and never holds personal data.
 *
 * @param code     key of ERROR_KINDS
 * @param message  safe to show to the caller
 * @param details  `path` points at the offending input, `cause` is kept for the log only, `retryAfterMs` is when the same call may succeed
 */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly path: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    details: { path?: string; cause?: unknown; retryAfterMs?: number } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.path = details.path;
    this.retryAfterMs = details.retryAfterMs;
  }

  get kind(): ErrorKind {
    return ERROR_KINDS[this.code];
  }
}
