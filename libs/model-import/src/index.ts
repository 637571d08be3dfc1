export { IMPORT_CHECKS, type ImportCheck, type ImportCheckName } from './import-check.js';
export { type ImportedModel, importModel, type ImportOutcome, type ImportParts } from './import-model.js';
export { checkMapping } from './column-mapping.js';
export { type ImportOrder, parseImportOrder } from './import-order.js';
export {
  type ImportClaim,
  ModelImports,
  type ImportState,
  type ModelImport,
} from './model-imports.repository.js';
export type { TrialLimits } from './runtime/trial-process.js';
export { fetchModelFile, type SourceLimits } from './source/fetch-model-file.js';
export { ModelUploads, type ModelUpload, PART_BYTES } from './source/model-uploads.repository.js';
