import { DomainError } from '@sextant/domain';

/** Something in the input of a mutation that could not be done. */
export interface UserError {
  code: string;
  message: string;
  field: string | null;
}

const USER_KINDS: readonly string[] = ['invalid-input', 'not-found', 'conflict'];

/** The payload of a mutation: its result, or null and what is wrong with the input. */
export async function withUserErrors<K extends string, T>(
  name: K,
  work: () => Promise<T>,
): Promise<Record<K, T | null> & { userErrors: UserError[] }> {
  try {
    return { ...({ [name]: await work() } as Record<K, T>), userErrors: [] };
  } catch (error) {
    if (!(error instanceof DomainError) || !USER_KINDS.includes(error.kind)) throw error;
    return {
      ...({ [name]: null } as Record<K, null>),
      userErrors: [{ code: error.code, message: error.message, field: inputPath(error.path) }],
    };
  }
}

/** Where in the input; some rules say so from its root, others from `input` on. */
function inputPath(path: string | undefined): string {
  if (path === undefined) return 'input';
  return path === 'input' || path.startsWith('input.') ? path : `input.${path}`;
}
