import { Injectable } from '@nestjs/common';
import type { RequestContext } from '@sextant/platform';
import { RequestLoaders } from '@sextant/platform';
import type { SegmentModel } from './membership.js';
import type { Segment } from './segment.js';
import { SegmentRepository } from './segment.repository.js';

/** Segments of one request: all that are in force in one read, single ones in another. */
@Injectable()
export class SegmentLoader {
  readonly byId: RequestLoaders<string, Segment | null>;
  private readonly models: RequestLoaders<'all', SegmentModel>;

  constructor(segments: SegmentRepository) {
    this.byId = new RequestLoaders(
      (tenantId, ids) => segments.findByIds(tenantId, ids),
      (id) => id,
    );
    this.models = new RequestLoaders(
      async (tenantId, keys) => {
        const [list, behaviour] = await Promise.all([segments.list(tenantId), segments.findModel(tenantId)]);
        return keys.map(() => ({ segments: list, behaviour }));
      },
      (key) => key,
    );
  }

  model(context: RequestContext): Promise<SegmentModel> {
    return this.models.load(context, 'all');
  }
}
