import { isObject, type JsonObject } from './json.js';
import type { Rewrite, RewriteSegment } from './query-plan.js';
import type { TypeConditions } from './type-conditions.js';

/** Changes a value in place. */
export type Change = (value: unknown) => void;

/** What a plan changes in representations or answers: internal aliases get their names back, types their own names. */
export function compileRewrites(
  rewrites: readonly Rewrite[] | null | undefined,
  types: TypeConditions,
): Change | null {
  const changes = (rewrites ?? []).flatMap((rewrite) => {
    if (rewrite.KeyRenamer) return [renaming(rewrite.KeyRenamer, types)];
    return rewrite.ValueSetter ? [setting(rewrite.ValueSetter, types)] : [];
  });
  if (changes.length === 0) return null;
  return (value) => {
    for (const change of changes) change(value);
  };
}

/** Names that the plan gives to aliases of its own, by alias. */
export function renamedKeys(rewrites: readonly Rewrite[] | null | undefined): Map<string, string> {
  return new Map(
    (rewrites ?? []).flatMap(({ KeyRenamer }) => {
      const last = KeyRenamer?.path.at(-1);
      return KeyRenamer && last && 'Key' in last ? [[last.Key, KeyRenamer.renameKeyTo] as const] : [];
    }),
  );
}

function renaming({ path, renameKeyTo }: NonNullable<Rewrite['KeyRenamer']>, types: TypeConditions): Change {
  return along(path, types, (owner, key) => {
    if (!(key in owner)) return;
    owner[renameKeyTo] = owner[key];
    delete owner[key];
  });
}

function setting({ path, setValueTo }: NonNullable<Rewrite['ValueSetter']>, types: TypeConditions): Change {
  return along(path, types, (owner, key) => {
    owner[key] = setValueTo;
  });
}

/** Calls `change` for each object that holds the last key of the path. */
function along(
  path: readonly RewriteSegment[],
  types: TypeConditions,
  change: (owner: JsonObject, key: string) => void,
): Change {
  const visit = (value: unknown, at: number): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item, at);
      return;
    }
    const segment = path[at];
    if (!segment || !isObject(value)) return;
    if ('Key' in segment) {
      if (at === path.length - 1) change(value, segment.Key);
      else visit(value[segment.Key], at + 1);
    } else if (types.holds(segment.TypenameEquals, value['__typename'])) visit(value, at + 1);
  };
  return (value) => visit(value, 0);
}
