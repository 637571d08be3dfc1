import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ModelCatalogue } from '../models/model-catalogue.js';
import { type ReportedStatistics, reportStatistics } from '../operations/statistics-report.js';
import { type HandlerParts, unaryHandler } from '../transport/unary.handler.js';

/** Triton's statistics extension: what the metrics count, by version. */
export function statisticsHandlers(
  parts: HandlerParts & { catalogue: ModelCatalogue },
): UntypedServiceImplementation {
  const { catalogue, metrics } = parts;
  return {
    ModelStatistics: unaryHandler(
      parts,
      'ModelStatistics',
      (wanted: { name: string; version: string }): { modelStats: ReportedStatistics[] } => ({
        modelStats: reportStatistics(catalogue, metrics.versions, wanted),
      }),
    ),
  };
}
