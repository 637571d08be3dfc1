import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { DomainError } from '@sextant/domain';
import { Command } from 'commander';
import { parse } from 'yaml';
import { z } from 'zod';
import { alignedRows } from '../output/aligned-rows.js';
import type { ImportAnswer } from './import-answers.js';
import { type ModelFlags, type ModelSurroundings, printAnswer } from './model-surroundings.js';
import type { ModelClient } from './model.client.js';

const POLL_MS = 500;

/** What the graph's input says, but for the file itself; the graph checks the rest by name. */
const description = z.looseObject({
  task: z.string(),
  columns: z.array(z.unknown()),
  sample: z.array(z.unknown()),
});

export function importModelCommand(surroundings: ModelSurroundings): Command {
  return new Command('import')
    .description('take a model made elsewhere, check it and publish it as a CANDIDATE')
    .argument('<file>', 'an ONNX file')
    .requiredOption(
      '--describe <file>',
      'YAML or JSON with task, columns, sample and, where needed, output, horizonDays, tolerance, card',
    )
    .option('--sha256 <digits>', 'what the file must hash to (default: what it hashes to here)')
    .action(async (path: string, flags: ModelFlags & { describe: string; sha256?: string }) => {
      const file = read(path);
      const sha256 = createHash('sha256').update(file).digest('hex');
      if (flags.sha256 !== undefined && flags.sha256.toLowerCase() !== sha256)
        throw new DomainError(
          'INVALID_INPUT',
          `${path} is not the file that was meant: its SHA-256 is ${sha256}`,
          { path: '--sha256' },
        );
      const answer = await importFile(
        surroundings,
        { file, sha256, input: describedIn(flags.describe) },
        flags,
      );
      printAnswer(surroundings, flags, { answer, text: importText });
      if (answer.state !== 'SUCCEEDED') surroundings.fail();
    });
}

async function importFile(
  { client, say }: ModelSurroundings,
  { file, sha256, input }: { file: Buffer; sha256: string; input: Record<string, unknown> },
  flags: ModelFlags,
): Promise<ImportAnswer> {
  const models = client(flags);
  const uploadId = await send(models, file, say);
  const asked = { ...input, sha256, source: { uploadId }, idempotencyKey: randomUUID() };
  let answer = await models.importModel(asked);
  if (answer.state === 'RUNNING') say(`${answer.id}: the file is being tried`);
  while (answer.state === 'RUNNING') {
    await wait(POLL_MS);
    answer = await models.modelImport(answer.id);
  }
  return answer;
}

/** @returns the upload's id, once every part is there */
async function send(models: ModelClient, file: Buffer, say: (line: string) => void): Promise<string> {
  const { id, partBytes, parts } = await models.beginUpload(file.byteLength);
  for (let part = 0; part < parts; part++) {
    const bytes = file.subarray(part * partBytes, (part + 1) * partBytes);
    await models.appendUpload({ uploadId: id, part, data: bytes.toString('base64') });
    if (parts > 1) say(`sent ${part + 1} of ${parts} parts`);
  }
  return id;
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new DomainError('INVALID_INPUT', `${path} cannot be read: give the path of an ONNX file`, {
      cause,
    });
  }
}

function describedIn(path: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new DomainError('INVALID_INPUT', `${path} cannot be read as YAML or JSON: ${why}`, {
      path: '--describe',
      cause,
    });
  }
  const parsed = description.safeParse(content);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`,
  );
  throw new DomainError('INVALID_INPUT', `${path} does not describe a model: ${faults.join('; ')}`, {
    path: '--describe',
  });
}

function importText({ id, state, checks, version, failure }: ImportAnswer): string {
  const outcome =
    state === 'SUCCEEDED'
      ? `${version?.id ?? id} is a CANDIDATE: \`sextant model show ${version?.id ?? ''}\` tells its gates`
      : state === 'REFUSED'
        ? `${id} was refused; nothing was published`
        : `${id} could not be made: ${failure ? `${failure.code}: ${failure.message}` : 'no reason was given'}`;
  const rows = checks.map(({ name, passed, required, observed, code }) => [
    passed ? 'passed' : 'FAILED',
    name,
    `${code === null ? '' : `${code}: `}${required}; observed: ${observed}`,
  ]);
  return `${[...alignedRows(rows, { align: 'words' }), outcome].join('\n')}\n`;
}
