/**
 * The process that calls LightGBM. A fault in the library ends this process and not the trainer.
 * It imports no file of the project at run time, so that it also runs straight from source.
 *
 * Source of the calls: LightGBM 4 C API, include/LightGBM/c_api.h.
 */
import koffi from 'koffi';
import type {
  LabelledRows,
  LightGbmReply,
  LightGbmRequest,
  PredictRequest,
  TrainRequest,
} from './lightgbm-messages.js';

const FLOAT32 = 0;
const FLOAT64 = 1;
const INT32 = 2;
const ROW_MAJOR = 1;
const RAW_SCORE = 1;
const CONTRIBUTIONS = 3;
const SPLIT_IMPORTANCE = 0;
const ALL_ROUNDS = -1;
const USUAL_MODEL_BYTES = 4 * 1024 * 1024;

type Handle = unknown;
type Api = ReturnType<typeof bind>;

function bind(path: string) {
  const library = koffi.load(path);
  const lastError = library.func('const char *LGBM_GetLastError()') as () => string;
  const checked = (signature: string) => {
    const call = library.func(signature) as (...values: unknown[]) => number;
    return (...values: unknown[]): void => {
      if (call(...values) !== 0) throw new Error(lastError());
    };
  };
  return {
    createDataset: checked(
      'int LGBM_DatasetCreateFromMat(void *data, int type, int rows, int columns, int rowMajor, const char *parameters, void *reference, _Out_ void **out)',
    ),
    setField: checked(
      'int LGBM_DatasetSetField(void *dataset, const char *name, void *data, int length, int type)',
    ),
    freeDataset: checked('int LGBM_DatasetFree(void *dataset)'),
    createBooster: checked('int LGBM_BoosterCreate(void *train, const char *parameters, _Out_ void **out)'),
    loadBooster: checked(
      'int LGBM_BoosterLoadModelFromString(const char *model, _Out_ int *rounds, _Out_ void **out)',
    ),
    addValidation: checked('int LGBM_BoosterAddValidData(void *booster, void *dataset)'),
    update: checked('int LGBM_BoosterUpdateOneIter(void *booster, _Out_ int *finished)'),
    evaluate: checked('int LGBM_BoosterGetEval(void *booster, int dataset, _Out_ int *length, void *out)'),
    save: checked(
      'int LGBM_BoosterSaveModelToString(void *booster, int start, int rounds, int importance, int64_t capacity, _Out_ int64_t *length, void *out)',
    ),
    predict: checked(
      'int LGBM_BoosterPredictForMat(void *booster, void *data, int type, int rows, int columns, int rowMajor, int output, int start, int rounds, const char *parameters, _Out_ int64_t *length, void *out)',
    ),
    freeBooster: checked('int LGBM_BoosterFree(void *booster)'),
  };
}

function train(api: Api, request: TrainRequest): LightGbmReply {
  const handles: (() => void)[] = [];
  try {
    const data = dataset(api, request.train, request, null);
    handles.push(() => api.freeDataset(data));
    const booster = created((out) => api.createBooster(data, request.parameters, out));
    handles.push(() => api.freeBooster(booster));
    if (request.validation !== null) {
      const validation = dataset(api, request.validation, request, data);
      handles.push(() => api.freeDataset(validation));
      api.addValidation(booster, validation);
    }
    const { rounds, loss } = boost(api, booster, request);
    return { kind: 'trained', model: modelText(api, booster, rounds), rounds, validationLoss: loss };
  } finally {
    for (const free of handles.reverse()) free();
  }
}

/** One tree a round until `rounds`, until LightGBM finds no split, or until the validation loss stops falling. */
function boost(api: Api, booster: Handle, request: TrainRequest): { rounds: number; loss: number | null } {
  // The one metric in use of which more is better; 1 − NDCG is a loss like the others.
  const isGain = /\bmetric=ndcg\b/.test(request.parameters);
  let best = { rounds: 0, loss: Number.POSITIVE_INFINITY };
  let done = 0;
  while (done < request.rounds) {
    const finished = [0];
    api.update(booster, finished);
    if (finished[0] === 1) break;
    done += 1;
    if (request.validation === null) continue;
    const loss = new Float64Array(8);
    api.evaluate(booster, 1, [0], loss);
    const current = isGain ? 1 - (loss[0] ?? Number.NaN) : (loss[0] ?? Number.NaN);
    if (current < best.loss) best = { rounds: done, loss: current };
    if (done - best.rounds >= request.patience) break;
  }
  if (request.validation === null) return { rounds: done, loss: null };
  return best.rounds === 0 ? { rounds: done, loss: null } : best;
}

function modelText(api: Api, booster: Handle, rounds: number): string {
  const length = [0];
  const until = rounds === 0 ? ALL_ROUNDS : rounds;
  // LightGBM writes the whole text to tell its length: nearly every model fits at once.
  let text = Buffer.alloc(USUAL_MODEL_BYTES);
  api.save(booster, 0, until, SPLIT_IMPORTANCE, text.length, length, text);
  if (Number(length[0]) > text.length) {
    text = Buffer.alloc(Number(length[0]));
    api.save(booster, 0, until, SPLIT_IMPORTANCE, text.length, length, text);
  }
  return text.toString('utf8', 0, Number(length[0]) - 1);
}

function predict(api: Api, request: PredictRequest): LightGbmReply {
  const booster = created((out) => api.loadBooster(request.model, [0], out));
  try {
    const rows = request.rows.length / request.columns;
    const isContributions = request.output === 'contributions';
    const values = new Float64Array(rows * (isContributions ? request.columns + 1 : 1));
    const kind = isContributions ? CONTRIBUTIONS : RAW_SCORE;
    const table = [request.rows, elementType(request.rows), rows, request.columns, ROW_MAJOR];
    api.predict(booster, ...table, kind, 0, ALL_ROUNDS, 'num_threads=1', [0], values);
    return { kind: 'predicted', values };
  } finally {
    api.freeBooster(booster);
  }
}

function dataset(api: Api, data: LabelledRows, request: TrainRequest, reference: Handle): Handle {
  const { rows, labels, weights, group } = data;
  const table = [rows, elementType(rows), rows.length / request.columns, request.columns, ROW_MAJOR];
  const handle = created((out) => api.createDataset(...table, request.parameters, reference, out));
  api.setField(handle, 'label', labels, labels.length, FLOAT32);
  if (weights !== undefined) api.setField(handle, 'weight', weights, weights.length, FLOAT32);
  if (group !== undefined) api.setField(handle, 'group', group, group.length, INT32);
  return handle;
}

function created(create: (out: Handle[]) => void): Handle {
  const out: Handle[] = [null];
  create(out);
  return out[0];
}

function elementType(rows: Float32Array | Float64Array): number {
  return rows instanceof Float32Array ? FLOAT32 : FLOAT64;
}

function reply(message: LightGbmReply): void {
  process.send?.(message);
}

function serve(path: string): void {
  let api: Api;
  try {
    api = bind(path);
    api.freeBooster(created((out) => api.loadBooster(EMPTY_MODEL, [0], out)));
  } catch (error) {
    reply({ kind: 'unavailable', message: String(error) });
    return;
  }
  process.on('message', (request: LightGbmRequest) => {
    try {
      reply(request.kind === 'train' ? train(api, request) : predict(api, request));
    } catch (error) {
      reply({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  });
  reply({ kind: 'ready' });
}

/** A model without trees: that it loads shows that the file is a LightGBM of a format we know. */
const EMPTY_MODEL =
  'tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\nobjective=regression\nfeature_names=x\nfeature_infos=none\ntree_sizes=\n\nend of trees\n';

process.on('disconnect', () => process.exit(0));
serve(process.argv[2] ?? '');
