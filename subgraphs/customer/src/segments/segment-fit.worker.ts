/**
 * The thread that fits segments, so that the event loop stays free. It imports packages and types only, so that it also runs
 * straight from source.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { DomainError } from '@sextant/domain';
import {
  assignSegments,
  behaviourPoints,
  behaviourRow,
  chooseSegments,
  type Credibility,
  findLookalikes,
  fitBehaviour,
  matchSegments,
  nameSegments,
  profileSegments,
} from '@sextant/learning/segment';
import type {
  Discovered,
  DiscoverTask,
  FitReply,
  FitTask,
  LookalikeFound,
  LookalikeTask,
} from './segment-fit.messages.js';

const SAMPLE = 1_500;
const RESAMPLES = 12;

function discover({ customers, maxSegments, seed, previous }: DiscoverTask): Discovered {
  const credibilities = fitBehaviour(customers);
  if (credibilities.length === 0)
    throw new DomainError(
      'DATA_INSUFFICIENT',
      'customers do not differ in behaviour yet: send visits, views and orders first',
    );
  const points = behaviourPoints(credibilities, customers);
  const features = credibilities.map(({ rate }) => ({ name: rate.name, words: rate.words }));
  const options = { seed, maxSegments, sample: SAMPLE, resamples: RESAMPLES };
  const found = chooseSegments(
    points,
    features.map(({ name }) => name),
    options,
  );
  const rates = customers.map((customer) => behaviourRow(credibilities, customer).map(Math.exp));
  const profiles = profileSegments(rates, found.labels, { features, segments: found.chosen.k });
  const names = nameSegments(profiles, features);
  const continued = continuedClusters(customers, found.labels, previous) ?? profiles.map(() => null);
  return {
    credibilities,
    segmentation: found.segmentation,
    stability: found.chosen.stability.value,
    because: found.because,
    candidates: found.candidates,
    clusters: profiles.map((profile, cluster) => ({
      name: names[cluster] ?? `Segment ${cluster + 1}`,
      profile,
      previous: continued[cluster] ?? null,
    })),
  };
}

/** Cluster of the previous segmentation that each new one continues; null without a previous one. */
function continuedClusters(
  customers: DiscoverTask['customers'],
  labels: ArrayLike<number>,
  previous: DiscoverTask['previous'],
): (number | null)[] | null {
  if (!previous) return null;
  const rows = customers.map((customer) => behaviourRow(previous.credibilities, customer));
  const before = assignSegments(previous.segmentation, rows).map(({ segment }) => segment);
  return matchSegments(before, labels);
}

function lookalike({ customers, isSeed, size, seed, credibilities }: LookalikeTask): LookalikeFound {
  const known: Credibility[] = credibilities ? [...credibilities] : fitBehaviour(customers);
  const { model, auc, expansion } = findLookalikes(
    behaviourPoints(known, customers),
    known.map(({ rate }) => rate.name),
    { isSeed, size, seed },
  );
  return { credibilities: known, model, auc: auc.value, expansion };
}

function answer(task: FitTask): FitReply {
  try {
    return { ok: true, result: task.kind === 'discover' ? discover(task) : lookalike(task) };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return { ok: false, code: error.code, message: error.message };
  }
}

parentPort?.postMessage(answer(workerData as FitTask));
