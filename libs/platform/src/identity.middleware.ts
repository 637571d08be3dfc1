import { DomainError, type Identity } from '@sextant/domain';
import type { NextFunction, Request, Response } from 'express';
import { verifyRequest } from './request-signature.js';

/** A request whose body was kept as it came, and whose sender was proven. */
export interface IdentifiedRequest extends Request {
  rawBody?: Buffer;
  identity?: Identity;
}

/** For `express.json({ verify })`: the signature covers the bytes, not the parsed value. */
export function keepRawBody(request: Request, _response: Response, body: Buffer): void {
  (request as IdentifiedRequest).rawBody = body;
}

/** Refuses, with 401 and before GraphQL sees anything, every request that the gateway did not sign. */
export function requireSignature(checking: { secret: string; maxAgeMs: number; now: () => number }) {
  return (request: IdentifiedRequest, response: Response, next: NextFunction): void => {
    try {
      const signed = {
        method: request.method,
        path: request.originalUrl.split('?')[0] ?? '',
        body: request.rawBody ?? '',
      };
      request.identity = verifyRequest(signed, request.headers, { ...checking, nowMs: checking.now() });
      next();
    } catch (error) {
      if (!(error instanceof DomainError)) return next(error);
      response.status(401).json({ errors: [{ message: error.message, extensions: { code: error.code } }] });
    }
  };
}
