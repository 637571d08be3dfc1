import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inheritedInstructions, type Instruction, parseDockerfile, type Stage } from './dockerfile.js';
import { REPOSITORY } from './helm-chart.js';

const SERVICE = 'docker/service.Dockerfile';
const WORKER = 'docker/inference-worker.Dockerfile';
const FILES = [SERVICE, WORKER];
/** Stages that become images. */
const IMAGES: [file: string, stage: string][] = [
  [SERVICE, 'service'],
  [SERVICE, 'trainer'],
  [WORKER, 'worker'],
];

describe.each(FILES)('%s', (file) => {
  const { globals, stages } = parseDockerfile(readFileSync(join(REPOSITORY, file), 'utf8'));

  it('builds on the Node version that the repository runs on', () => {
    const node = /"node": "([\d.]+)"/.exec(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'))?.[1];
    expect(globals).toContainEqual({ name: 'ARG', rest: `NODE_IMAGE=node:${node}-bookworm-slim` });
  });

  it('copies from the repository and from stages that come before', () => {
    for (const [index, stage] of stages.entries()) {
      const earlier = stages.slice(0, index).map((other) => other.alias);
      for (const { from, sources } of stage.instructions.filter(({ name }) => name === 'COPY').map(copyOf)) {
        if (from) expect(earlier).toContain(from);
        else for (const source of sources) expect(existsSync(join(REPOSITORY, source)), source).toBe(true);
      }
    }
  });

  it('names folders of the repository in what it runs', () => {
    const commands = stages.flatMap((stage) => stage.instructions.filter(({ name }) => name === 'RUN'));
    const folders = commands.flatMap(
      ({ rest }) => /find ((?:[a-z][a-z-]* )+)/.exec(rest)?.[1]?.trim().split(' ') ?? [],
    );
    for (const folder of folders.filter((name) => name !== 'node_modules'))
      expect(existsSync(join(REPOSITORY, folder)), folder).toBe(true);
    expect(commands.some(({ rest }) => rest.includes('npm ci --omit=dev --workspace='))).toBe(true);
  });
});

describe.each(IMAGES)('image %s, %s', (file, alias) => {
  const { stages } = parseDockerfile(readFileSync(join(REPOSITORY, file), 'utf8'));
  const stage = stages.find((candidate) => candidate.alias === alias);
  const instructions = stage ? inheritedInstructions(stages, stage) : [];

  it('runs as the user of the chart, stops on SIGTERM and has no shell in front of Node', () => {
    expect(last(instructions, 'USER')).toBe('1000:1000');
    expect(last(instructions, 'STOPSIGNAL')).toBe('SIGTERM');
    expect(JSON.parse(last(instructions, 'ENTRYPOINT') ?? '[]')).toEqual([
      'node',
      expect.stringMatching(/dist\/main\.js$/),
    ]);
  });

  it('holds packages without development tools and compiled code only', () => {
    const copies = instructions.filter(({ name }) => name === 'COPY').map(copyOf);
    expect(copies.slice(0, 2).map(({ from }) => from)).toEqual(['packages', 'build']);
    expect(copies.every(({ from }) => from !== undefined)).toBe(true);
  });

  it.each(projectsOf(alias))('starts a main.ts that exists: %s', (project) => {
    const folder = (last(instructions, 'WORKDIR') ?? '').replace('${PROJECT}', project).replace('/app', '.');
    const entry = (JSON.parse(last(instructions, 'ENTRYPOINT') ?? '[]') as string[])[1] ?? '';
    const source = join(REPOSITORY, folder, entry).replace('/dist/main.js', '/src/main.ts');
    expect(existsSync(source), source).toBe(true);
  });
});

describe('docker/inference-worker.gpu.Dockerfile', () => {
  const file = readFileSync(join(REPOSITORY, 'docker/inference-worker.gpu.Dockerfile'), 'utf8');
  const { globals, stages } = parseDockerfile(file);
  const worker = stages.find(({ alias }) => alias === 'worker');
  const cuda = stages.find(({ alias }) => alias === 'cuda');
  const downloads = cuda?.instructions.map(({ rest }) => rest).join(' ') ?? '';

  it('stands on the image for CPUs and hands over to its user, its entry point and its signal', () => {
    expect(globals).toContainEqual({ name: 'ARG', rest: 'WORKER_IMAGE=sextant-inference-worker' });
    expect(worker?.base).toBe('${WORKER_IMAGE}');
    expect(last(worker?.instructions ?? [], 'USER')).toBe('1000:1000');
    const changed = worker?.instructions.map(({ name }) => name) ?? [];
    expect(changed.filter((name) => ['ENTRYPOINT', 'CMD', 'STOPSIGNAL', 'WORKDIR'].includes(name))).toEqual(
      [],
    );
  });

  it('takes provider libraries of the version that the worker runs, and pins what they link', () => {
    const worker = readFileSync(join(REPOSITORY, 'inference-worker/package.json'), 'utf8');
    const version = /"onnxruntime-node": "([\d.]+)"/.exec(worker)?.[1];
    expect(downloads).toContain(`onnxruntime-gpu==${version} `);
    for (const library of ['cublas', 'cuda-runtime', 'curand', 'cudnn-cu13'])
      expect(downloads).toMatch(new RegExp(`nvidia-${library}==\\d`));
  });

  it('puts them into the folder that ONNX Runtime looks in, and their libraries where the loader looks', () => {
    const copies = worker?.instructions.filter(({ name }) => name === 'COPY').map(({ rest }) => rest) ?? [];
    const target = /^--from=cuda \S+providers \/app\/(\S+)$/.exec(copies[1] ?? '')?.[1] ?? '';
    expect(existsSync(join(REPOSITORY, target, 'libonnxruntime.so.1'))).toBe(true);
    expect(copies[0]).toBe('--from=cuda /out/lib /opt/cuda/lib');
    expect(last(worker?.instructions ?? [], 'ENV')).toContain('LD_LIBRARY_PATH=/opt/cuda/lib');
  });

  it('names providers that the worker knows, the CPU last, and keeps float32 products whole', () => {
    const env = last(worker?.instructions ?? [], 'ENV') ?? '';
    expect(/INFERENCE_PROVIDERS=(\S+)/.exec(env)?.[1]).toBe('cuda,webgpu,cpu');
    expect(env).toContain('NVIDIA_TF32_OVERRIDE=0');
    expect(env).toContain('NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics');
  });
});

describe('parseDockerfile', () => {
  it('joins continuation lines, drops comments and splits stages', () => {
    const { globals, stages } = parseDockerfile(
      'ARG A=1\n# note\nFROM x AS one\nRUN a \\\n  # inside\n  && b\nFROM one\nUSER 1\n',
    );
    expect(globals).toEqual([{ name: 'ARG', rest: 'A=1' }]);
    expect(stages.map(({ base, alias }) => [base, alias])).toEqual([
      ['x', 'one'],
      ['one', undefined],
    ]);
    expect(inheritedInstructions(stages, stages[1] as Stage)).toEqual([
      { name: 'RUN', rest: 'a && b' },
      { name: 'USER', rest: '1' },
    ]);
  });
});

function projectsOf(alias: string): string[] {
  if (alias === 'service')
    return ['gateway', 'subgraphs/customer', 'subgraphs/campaign', 'subgraphs/prediction'];
  return alias === 'trainer' ? ['trainer'] : ['inference-worker'];
}

function last(instructions: readonly Instruction[], name: string): string | undefined {
  return instructions.findLast((instruction) => instruction.name === name)?.rest;
}

function copyOf({ rest }: Instruction): { from: string | undefined; sources: string[] } {
  const words = rest.split(/\s+/);
  const from = /^--from=(\S+)$/.exec(words[0] ?? '')?.[1];
  return { from, sources: words.slice(from ? 1 : 0, -1) };
}
