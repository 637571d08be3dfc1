export { dateFormatOf, type DateFormat, parseDate } from './date-parts.js';
export { isIdentifier } from './fit-table-encoder.js';
