import { isAbsolute } from 'node:path';
import { DomainError } from '@sextant/domain';
import { z } from 'zod';
import { Cells } from './cells.js';
import { productMapper } from './product-mapper.js';
import { parseTemplate } from './templates.js';
import { timeReader } from './times.js';

/** A YAML scalar; how a file spells a value, so numbers and booleans are compared as text with the cells. */
const scalar = z.union([z.string(), z.number(), z.boolean()], {
  error: 'must be a text, a number or true/false',
});
const token = scalar.transform(String);
const tokens = z.array(token, { error: 'must be a list, such as ["", unknown]' });
const text = z
  .string({ error: (issue) => (issue.input === undefined ? 'is missing' : 'must be a text') })
  .min(1, 'must not be empty');

const missingOr = (message: string) => (issue: { input?: unknown }) =>
  issue.input === undefined ? 'is missing' : message;

/** Makes what a compiler of the mapping refuses an error of the key it stands at. */
function compiles<Input>(compile: (input: Input) => unknown) {
  return (input: Input, context: z.core.$RefinementCtx<Input>) => {
    try {
      compile(input);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  };
}

const template = text.superRefine(compiles(parseTemplate));

/** An object that knows its keys; an unknown one is an error that lists the known ones. */
function closed<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys')
        return `has the unknown key ${issue.keys.join(', ')}; the keys here are ${known}`;
      return issue.input === undefined ? 'is missing' : `must be a block with the keys ${known}`;
    },
  });
}

const valueType = z.enum(['string', 'number', 'boolean', 'decimal'], {
  error: 'must be string, number, boolean or decimal',
});
const number = z.number({ error: 'must be a number' });

const comparison = {
  equals: token.optional(),
  notEquals: token.optional(),
  in: tokens.optional(),
  atLeast: number.optional(),
  atMost: number.optional(),
  above: number.optional(),
  below: number.optional(),
};

/** A cell, read with its type; with a comparison it becomes true or false, with `split` a list. */
const columnValue = closed({
  column: text,
  type: valueType.optional(),
  missing: tokens.optional(),
  split: text.optional(),
  ...comparison,
});
/** A constant, a template such as "{user}-{item}", or a cell. */
const value = z.union(
  [z.string().superRefine(compiles(parseTemplate)), z.number(), z.boolean(), columnValue],
  {
    error: missingOr('must be a text, a number, true/false, or a block with column'),
  },
);

/** Holds when the cell meets every comparison; a missing cell meets none but `present: false`. */
const condition = closed({
  column: text,
  present: z.boolean({ error: 'must be true or false' }).optional(),
  ...comparison,
}).refine(({ column: _, ...tests }) => Object.keys(tests).length > 0, {
  error: 'needs a comparison: present, equals, notEquals, in, atLeast, atMost, above or below',
});
const conditions = z
  .union([condition, z.array(condition)], { error: 'must be a condition or a list of conditions' })
  .transform((given) => (Array.isArray(given) ? given : [given]));

const time = z
  .union([text, closed({ column: text, format: text.default('iso'), offsetSeconds: number.optional() })], {
    error: missingOr('must be an instant, or a block with column and format'),
  })
  .superRefine(compiles(timeReader));

const money = closed({
  amount: value,
  currency: text.regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code such as EUR'),
});

const product = closed({
  id: value,
  title: value,
  sku: value.optional(),
  categories: z
    .union([columnValue, z.array(value)], { error: 'must be a column with split, or a list' })
    .optional(),
  listPrice: money.optional(),
  cost: money.optional(),
  stock: value.optional(),
  when: conditions.optional(),
});

const event = closed({
  type: text,
  at: time,
  id: template.optional(),
  customer: template.optional(),
  source: template.optional(),
  when: conditions.optional(),
  properties: z.record(z.string(), value, { error: 'must be a block of name: value' }).default({}),
  allOtherColumns: z.boolean({ error: 'must be true or false' }).default(false),
});

const column = closed({
  type: valueType.optional(),
  missing: tokens.optional(),
  drop: z.boolean({ error: 'must be true or false' }).default(false),
});

const file = closed({
  path: text.refine(
    (path) => !isAbsolute(path) && !path.split(/[\\/]/).includes('..'),
    'must be a path inside the folder given with --data',
  ),
  format: z.enum(['csv', 'ndjson'], { error: 'must be csv or ndjson' }).optional(),
  delimiter: z.string({ error: 'must be one character' }).length(1, 'must be one character').default(','),
  optional: z.boolean({ error: 'must be true or false' }).default(false),
  as: z.enum(['events', 'products'], { error: 'must be events or products' }).optional(),
  missing: tokens.default(['']),
  columns: z.record(z.string(), column, { error: 'must be a block of column: settings' }).default({}),
  where: conditions.default([]),
  products: z.array(product, { error: 'must be a list' }).default([]),
  events: z.array(event, { error: 'must be a list' }).default([]),
}).superRefine((given, context) => {
  const maps = given.events.length + given.products.length > 0;
  if (maps === (given.as !== undefined)) {
    context.addIssue({
      code: 'custom',
      message:
        'needs either events/products (how rows are mapped) or as (rows are in the form of the contract already)',
    });
  }
});

/** The mapping file, version 1; `docs/guides/import.md` explains every key. */
export const mappingSchema = closed({
  version: z.literal(1, { error: 'must be 1' }),
  name: text.regex(/^[a-z0-9][a-z0-9_-]*$/, 'must consist of a-z, 0-9, _ and -: it begins every event id'),
  files: z
    .array(file, { error: (issue) => (issue.input === undefined ? 'is missing' : 'must be a list') })
    .min(1, 'needs at least one file'),
  products: z.array(product, { error: 'must be a list' }).default([]),
}).superRefine(({ products }, context) => {
  products.forEach((given, index) => {
    const [named] = productMapper(given, new Cells({ missing: [], columns: {} })).columns;
    if (named === undefined && given.when === undefined) return;
    const message =
      'stands outside files, where there are no rows: write constants, without {column} or when';
    context.addIssue({ code: 'custom', path: ['products', index], message });
  });
});

export type Mapping = z.output<typeof mappingSchema>;
export type FileMapping = Mapping['files'][number];
export type EventMapping = FileMapping['events'][number];
export type ProductMapping = FileMapping['products'][number];
export type ColumnMapping = FileMapping['columns'][string];
export type ValueMapping = z.output<typeof value>;
export type ColumnValue = z.output<typeof columnValue>;
export type Condition = z.output<typeof condition>;
export type Comparison = Omit<Condition, 'column' | 'present'>;
export type TimeMapping = z.output<typeof time>;
export type ValueType = z.output<typeof valueType>;
