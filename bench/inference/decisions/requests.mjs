// Requests of the decisions: usual ones, and the largest that the limits of rows, queue and message let through.
import { toFeatureTable } from '@sextant/inference-protocol';
import { seededRandom } from '@sextant/learning';
import { COLUMNS, itemId, ITEMS } from './models.mjs';

/** name → the method of the client, the rows that it is charged for, and the request */
export function requests() {
  return {
    'Recommend, 1 row, first 10': slates(1, { history: 20, first: 10 }),
    'Recommend, 256 rows, first 10, 3 reasons': slates(256, { history: 20, first: 10, reasons: 3 }),
    'Recommend, 8,192 rows, first 50': slates(8_192, { history: 20, first: 50 }),
    'Recommend, 320 rows, first 100, 20 reasons': slates(320, { history: 60, first: 100, reasons: 20 }),
    'Recommend, 1,500 rows, histories of 1,000': slates(1_500, { history: 1_000, first: 10 }),
    'Recommend, 8,192 rows, first 100, 20 reasons (too large)': {
      ...slates(8_192, { history: 20, first: 100, reasons: 20 }),
      isRefused: true,
    },
    'ScoreLeads, 64 rows, 100 columns': leads(64, false),
    'ScoreLeads, 8,192 rows, 100 columns': leads(8_192, false),
    'ScoreLeads, 4,096 rows, 100 columns, explained': leads(4_096, true),
    'ScoreLeads, 8,192 rows, 100 columns, explained (too large)': leads(8_192, true),
    'QuotePrices, 16 quotes, explained': quotes(16, true),
    'QuotePrices, 400 quotes': quotes(400, false),
    'QuotePrices, 400 quotes, explained': quotes(400, true),
    'QuotePrices, 8,192 quotes, explained': quotes(8_192, true),
    'PredictDemand, 8,192 rows': demand(8_192),
    'ForecastValue, 8,192 rows': forecast(8_192),
    'ChooseActions, 8,192 rows, 100 columns': actions(8_192),
  };
}

function slates(rows, { history, first, reasons = 0 }) {
  const random = seededRandom(rows);
  const ids = () => Array.from({ length: history }, () => itemId(Math.floor(random() ** 2 * ITEMS)));
  const request = {
    model: 'bench.recommend',
    rows: Array.from({ length: rows }, () => ({ history: ids(), first })),
    reasonsPerItem: reasons,
  };
  return { method: 'recommend', rows, request };
}

function table(rows) {
  const random = seededRandom(rows);
  const numeric = Array.from({ length: COLUMNS - 10 }, (_, i) => ({
    name: `n${i}`,
    values: Buffer.from(Float64Array.from({ length: rows }, () => random() * 2 - 1).buffer),
  }));
  const categorical = Array.from({ length: 10 }, (_, i) => ({
    name: `c${i}`,
    dictionary: ['web', 'mail', 'shop', 'fax'],
    codes: Buffer.from(Int32Array.from({ length: rows }, () => Math.floor(random() * 4)).buffer),
  }));
  return { rows, numeric, categorical };
}

function leads(rows, explain) {
  return { method: 'scoreLeads', rows, request: { model: 'bench.lead', rows: table(rows), explain } };
}

function actions(rows) {
  return { method: 'chooseActions', rows, request: { model: 'bench.uplift', rows: table(rows) } };
}

function contextOf(rows) {
  return toFeatureTable(Array.from({ length: rows }, (_, i) => ({ x0: i % 2, x1: (i % 7) / 7, x2: 1 })));
}

function quotes(rows, explain) {
  const quote = (i) => ({
    product: `p${i % 60}`,
    listPriceMinor: 1_200,
    costMinor: 600,
    floorMinor: 630,
    ceilingMinor: 1_900,
    stepMinor: 5,
    rounding: 'none',
    currency: 'EUR',
  });
  const request = {
    model: 'bench.price',
    rows: Array.from({ length: rows }, (_, i) => quote(i)),
    context: contextOf(rows),
    explain,
  };
  return { method: 'quotePrices', rows, request };
}

function demand(rows) {
  const cells = (i) => ({ product: `p${i % 60}`, price: 5 + (i % 1_500) / 100, x0: i % 2, x1: (i % 7) / 7 });
  const request = {
    model: 'bench.price',
    rows: toFeatureTable(Array.from({ length: rows }, (_, i) => cells(i))),
  };
  return { method: 'predictDemand', rows, request };
}

function forecast(rows) {
  const customers = new Float64Array(rows * 6);
  for (let row = 0; row < rows; row++) {
    customers.set([row % 10, (row % 10) * 20, 300, row % 10 ? 30 + (row % 7) : Number.NaN, 30, 365], row * 6);
  }
  return {
    method: 'forecastValue',
    rows,
    request: { model: 'bench.lifetime', customers: Buffer.from(customers.buffer) },
  };
}
