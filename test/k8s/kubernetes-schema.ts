import { join } from 'node:path';
import ts from 'typescript';
import { z } from 'zod';
import { type ManifestObject, REPOSITORY } from './helm-chart.js';

const model = z.custom<new (data: unknown) => { validate(): void }>((value) => typeof value === 'function');

/**
 * Checks objects against the schemas of the Kubernetes API, as the package `kubernetes-models` carries them: formats and
 * required fields by its validators, unknown fields by the TypeScript compiler, since the API's own schemas are open and a
 * cluster drops a misspelt field in silence.
 *
 * @returns one line a defect, each naming kind and name; empty when all is well
 */
export async function schemaDefects(objects: readonly ManifestObject[]): Promise<string[]> {
  const invalid = await Promise.all(objects.map(validatorDefect));
  return [...invalid.filter((line) => line !== null), ...unknownFields(objects)];
}

async function validatorDefect(object: ManifestObject): Promise<string | null> {
  const module: unknown = await import(modulePath(object));
  const Kind = model.parse(Reflect.get(Object(module), object.kind));
  try {
    new Kind(object).validate();
    return null;
  } catch (error) {
    return `${nameOf(object)}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Types each object as a literal of its Kubernetes interface; the compiler's excess property check finds what the API does not know. */
function unknownFields(objects: readonly ManifestObject[]): string[] {
  const file = join(REPOSITORY, 'test/k8s/rendered-objects.ts');
  const lines = objects.map(
    (object, index) =>
      `const o${index}: import('${modulePath(object)}').I${object.kind} = ${JSON.stringify(object)};`,
  );
  const source = [...lines, `export { ${objects.map((_, index) => `o${index}`).join(', ')} };`].join('\n');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2024,
    module: ts.ModuleKind.NodeNext,
  };
  const host = ts.createCompilerHost(options);
  const onDisk = host.getSourceFile.bind(host);
  host.getSourceFile = (name, target, ...rest) =>
    name === file ? ts.createSourceFile(name, source, target) : onDisk(name, target, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const line =
      diagnostic.file && diagnostic.start !== undefined
        ? ts.getLineAndCharacterOfPosition(diagnostic.file, diagnostic.start).line
        : 0;
    const object = objects[line];
    return `${object ? nameOf(object) : 'schemas'}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')}`;
  });
}

/** `apps/v1` Deployment → kubernetes-models/apps/v1/Deployment; the core group has no folder of its own. */
function modulePath({ apiVersion, kind }: ManifestObject): string {
  return `kubernetes-models/${apiVersion}/${kind}`;
}

function nameOf(object: ManifestObject): string {
  return `${object.kind}/${object.metadata.name}`;
}
