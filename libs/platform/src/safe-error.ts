/** Longest message that is logged; what subgraphs and drivers quote is cut off with it. */
const MAX_MESSAGE = 500;
const MAX_STACK_LINES = 12;

/**
 * An error as logs may hold it: what it is and where it came from. Its message often quotes what somebody sent (a variable, a document
 * of the store), so that everything in quotes, and everything that looks like an address, a token or a long number, is left out.
 */
export function safeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: withoutQuotes(String(error)) };
  const { code, path } = error as { code?: unknown; path?: unknown };
  const original = (error as { originalError?: unknown }).originalError ?? error.cause;
  return {
    type: error.constructor.name,
    message: withoutQuotes(error.message),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(Array.isArray(path) && { path: path.join('.') }),
    ...(original instanceof Error && original !== error && { cause: safeError(original) }),
    stack: frames(error),
  };
}

function withoutQuotes(message: string): string {
  return message
    .slice(0, 4 * MAX_MESSAGE)
    .replace(/"(?:[^"\\]|\\.)*"?/g, '"…"')
    .replace(/(^|[\s(:[{=])'(?:[^'\\]|\\.)*'?/g, "$1'…'")
    .replace(/`[^`]*`?/g, '`…`')
    .replace(/[^\s@"'<>(){}[\]]+@[^\s@"'<>(){}[\]]+/g, '…@…')
    .replace(/\beyJ[\w-]{8,}(?:\.[\w-]*)*/g, '…')
    .replace(/\+?\d[\d\s()/-]{7,}\d/g, '…')
    .slice(0, MAX_MESSAGE);
}

/** The stack without its first lines, which repeat the message. */
function frames({ stack = '' }: Error): string {
  const lines = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return lines.slice(0, MAX_STACK_LINES).join('\n');
}
