import { DomainError, type Identity } from '@sextant/domain';
import type { NextFunction, Request, Response } from 'express';
import { verifyRequest } from './request-signature.js';

/** A request whose sender was proven. */
export interface IdentifiedRequest extends Request {
  identity?: Identity;
}

/**
 * Refuses, with 401 and before anything is parsed, every request that the gateway did not sign. The body is still bytes
 * here (`express.raw`): the signature covers them, not the parsed value.
 */
export function requireSignature(checking: { secret: string; maxAgeMs: number; now: () => number }) {
  return (request: IdentifiedRequest, response: Response, next: NextFunction): void => {
    try {
      const signed = {
        method: request.method,
        path: request.originalUrl.split('?')[0] ?? '',
        body: bytesOf(request) ?? '',
      };
      request.identity = verifyRequest(signed, request.headers, { ...checking, nowMs: checking.now() });
      next();
    } catch (error) {
      if (!(error instanceof DomainError)) return next(error);
      response.status(401).json({ errors: [{ message: error.message, extensions: { code: error.code } }] });
    }
  };
}

/** After the signature: bytes to JSON, in one go, which takes half the time of `express.json`; 400 when it is none. */
export function parseJsonBody(request: Request, response: Response, next: NextFunction): void {
  const bytes = bytesOf(request);
  try {
    if (bytes) request.body = JSON.parse(bytes.toString('utf8'));
    next();
  } catch {
    const message = 'the body must be JSON';
    response.status(400).json({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] });
  }
}

function bytesOf(request: Request): Buffer | null {
  const body: unknown = request.body;
  return Buffer.isBuffer(body) ? body : null;
}
