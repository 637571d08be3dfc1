export { IMPORT_CHECKS, type ImportCheck, type ImportCheckName } from './import-check.js';
