import type { LoggerService } from '@nestjs/common';
import { type Logger, pino } from 'pino';
import { safeError } from './safe-error.js';

export type { Logger } from 'pino';

/** Structured logs on stdout; no personal data belongs in them, so that errors (`err`) go through {@link safeError}. */
export function createLogger(service: string, level: string): Logger {
  return pino({
    ...{ level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime },
    serializers: { err: safeError },
  });
}

/** Nest's own messages through the same logger, one level quieter. */
export function nestLogger(logger: Logger): LoggerService {
  const text = (message: unknown): string => (message instanceof Error ? message.message : String(message));
  return {
    log: (message: unknown) => logger.debug(text(message)),
    verbose: (message: unknown) => logger.trace(text(message)),
    debug: (message: unknown) => logger.debug(text(message)),
    warn: (message: unknown) => logger.warn(text(message)),
    // Nest reports each error of a resolver, intended ones too; the unexpected are logged where they are masked.
    error: (message: unknown, ...rest: unknown[]) =>
      rest.at(-1) === 'ExceptionsHandler' ? logger.debug(text(message)) : logger.error(text(message)),
    fatal: (message: unknown) => logger.fatal(text(message)),
  };
}
