import { ModelRefused, type RefusalCode } from '@sextant/onnx';
import type { ImportCheck, ImportCheckName } from '../import-check.js';
import type { TrialLine } from './trial.js';

export type Report = (line: TrialLine) => void;

/** The check that failed has been reported. */
export class CheckFailed extends Error {}

/** Reports each check as it ends; the first that fails ends the trial. */
export class Checks {
  constructor(private readonly report: Report) {}

  sync<T>(name: ImportCheckName, required: string, work: () => [T, string]): T {
    this.report({ kind: 'begins', check: name });
    try {
      return this.passed(name, required, work());
    } catch (error) {
      throw this.failed(name, required, error);
    }
  }

  async check<T>(name: ImportCheckName, required: string, work: () => Promise<[T, string]>): Promise<T> {
    this.report({ kind: 'begins', check: name });
    try {
      return this.passed(name, required, await work());
    } catch (error) {
      throw this.failed(name, required, error);
    }
  }

  private passed<T>(name: ImportCheckName, required: string, [value, observed]: [T, string]): T {
    this.report({ kind: 'check', check: { name, passed: true, required, observed, code: null } });
    return value;
  }

  private failed(name: ImportCheckName, required: string, error: unknown): Error {
    const refused = asRefused(name, error);
    if (!refused) return error instanceof Error ? error : new Error(String(error));
    const check: ImportCheck = {
      name: checkOf(name, refused.code),
      passed: false,
      required,
      observed: refused.message,
      code: refused.code,
    };
    this.report({ kind: 'check', check });
    return new CheckFailed(name);
  }
}

/** The file is read once for format and operators; the name says which of the two failed. */
function checkOf(name: ImportCheckName, code: RefusalCode): ImportCheckName {
  return code === 'OPSET_UNSUPPORTED' || code === 'OPERATOR_UNSUPPORTED' ? 'operators' : name;
}

/** What the runtime throws while it opens or runs a file is about the file; anything else is ours. */
function asRefused(name: ImportCheckName, error: unknown): ModelRefused | null {
  if (error instanceof ModelRefused) return error;
  const message = error instanceof Error ? error.message : String(error);
  const short = message.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 300);
  if (/bad_alloc|Integer overflow|allocate memory|out of memory|Array buffer allocation/i.test(message))
    return new ModelRefused('MEMORY_EXCEEDED', `it takes more memory than a trial may: ${short}`);
  if (name === 'opens') return new ModelRefused(codeOfRefusal(message), `the runtime refuses it: ${short}`);
  if (name === 'sample' || name === 'range' || name === 'determinism' || name === 'latency')
    return new ModelRefused('RUN_FAILED', `it does not run on the sample: ${short}`);
  return null;
}

function codeOfRefusal(message: string): RefusalCode {
  if (
    /not a registered|NOT_IMPLEMENTED|Could not find an implementation|No Op registered|Unrecognized attribute/i.test(
      message,
    )
  )
    return 'OPERATOR_UNSUPPORTED';
  if (/opset|IR version/i.test(message)) return 'OPSET_UNSUPPORTED';
  return 'RUNTIME_REFUSED';
}
