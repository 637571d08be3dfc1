import { BatchJobs } from '@sextant/batch-scoring';
import { TrainingJobs } from '@sextant/model-registry';
import { Injectable } from '@nestjs/common';
import { ModelImportService } from '../import/model-import.service.js';

/** Things that run for a while, by what they are. */
@Injectable()
export class JobNodes {
  constructor(
    private readonly trainings: TrainingJobs,
    private readonly batches: BatchJobs,
    private readonly imports: ModelImportService,
  ) {}

  find(
    type: 'TrainingJob' | 'BatchJob' | 'ModelImport',
    tenantId: string,
    id: string,
  ): Promise<object | null> {
    if (type === 'TrainingJob') return this.trainings.find(tenantId, id);
    return type === 'BatchJob' ? this.batches.find(tenantId, id) : this.imports.find(tenantId, id);
  }
}
