import { createServer, type RequestListener } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import { pathOf } from './signed-request.js';

/**
 * Nest's HTTP server with paths that are answered before express hears of them. Modules, lifecycle and drain stay Nest's; what
 * no path takes is express's, and so a 404.
 */
export class SubgraphHttpAdapter extends ExpressAdapter {
  private readonly listeners = new Map<string, RequestListener>();

  /** @param path  compared as a whole, without the query */
  answer(path: string, listener: RequestListener): void {
    this.listeners.set(path, listener);
  }

  override initHttpServer(): void {
    const others: RequestListener = this.getInstance();
    this.httpServer = createServer((request, response) =>
      (this.listeners.get(pathOf(request)) ?? others)(request, response),
    );
  }
}
