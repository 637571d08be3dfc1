// CPU seconds of libs/learning/lifetime on the same histories as lifetime.py; one JSON line. Build first.
// node bench/learning/lifetime/lifetime.mjs HISTORIES.json
import { readFileSync } from 'node:fs';
import {
  fitBgNbd,
  fitGammaGamma,
  fitParetoNbd,
  forecastLifetime,
  purchaseProcess,
} from '../../../libs/learning/dist/lifetime/index.js';

const ROWS = 1_000_000;
const { frequency, recency, age, meanSpend } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const sample = {
  frequency: Float64Array.from(frequency),
  recency: Float64Array.from(recency),
  age: Float64Array.from(age),
  meanSpend: Float64Array.from(meanSpend, (value) => value ?? Number.NaN),
  meanValue: new Float64Array(age.length).fill(Number.NaN),
};
const million = Object.fromEntries(
  Object.entries(sample).map(([name, column]) => [
    name,
    Float64Array.from({ length: ROWS }, (_, i) => column[i % column.length]),
  ]),
);

function cpu(work) {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { result, seconds: (user + system) / 1e6 };
}

/** Expected purchases of all within 39 weeks, and their sum as proof of work. */
function expectedPurchases(parameters) {
  const process = purchaseProcess(parameters);
  const [horizons, out] = [Float64Array.of(39), new Float64Array(1)];
  const expected = new Float64Array(ROWS);
  for (let i = 0; i < ROWS; i++) {
    process.purchasesWhenAlive(million.frequency[i], million.age[i], horizons, out);
    const alive = process.probabilityAlive(million.frequency[i], million.recency[i], million.age[i]);
    expected[i] = alive * out[0];
  }
  return expected.reduce((sum, value) => sum + value, 0);
}

const spend = cpu(() => fitGammaGamma(sample));
const report = { gammaGamma: { fit: spend.seconds } };
for (const [name, fit] of [
  ['bgNbd', fitBgNbd],
  ['paretoNbd', fitParetoNbd],
]) {
  const fitted = cpu(() => fit(sample));
  const process = fitted.result.parameters;
  const expected = cpu(() => expectedPurchases(process));
  const model = { process, spend: spend.result.parameters, periodDays: 7, annualDiscountRate: 0.1 };
  const value = cpu(() => forecastLifetime(model, million, 52.1775));
  report[name] = {
    fit: fitted.seconds,
    expected: expected.seconds,
    value: value.seconds,
    expectedSum: expected.result,
    valueSum: value.result.value.reduce((sum, each) => sum + each, 0),
  };
}
console.log(JSON.stringify(report));
