import { type FieldNode, type GraphQLResolveInfo, Kind, type SelectionSetNode } from 'graphql';

/** True when the query asks for one of the names directly below this field, also through fragments. */
export function selects(info: GraphQLResolveInfo, ...names: readonly string[]): boolean {
  return info.fieldNodes.some(
    ({ selectionSet }) => selectionSet !== undefined && holds(selectionSet, new Set(names), info),
  );
}

function holds(set: SelectionSetNode, names: ReadonlySet<string>, info: GraphQLResolveInfo): boolean {
  return set.selections.some((selection) => {
    if (selection.kind === Kind.FIELD) return names.has(selection.name.value);
    if (selection.kind === Kind.INLINE_FRAGMENT) return holds(selection.selectionSet, names, info);
    const fragment = info.fragments[selection.name.value];
    return fragment !== undefined && holds(fragment.selectionSet, names, info);
  });
}

/** True when the query asks for one of the names directly below `field`, which is below this field. */
export function selectsUnder(info: GraphQLResolveInfo, field: string, ...names: readonly string[]): boolean {
  return fieldsBelow(info, field).some(
    ({ selectionSet }) => selectionSet !== undefined && holds(selectionSet, new Set(names), info),
  );
}

/** The fields of this name directly below this field, also in fragments. */
export function fieldsBelow(info: GraphQLResolveInfo, name: string): FieldNode[] {
  return info.fieldNodes.flatMap(({ selectionSet }) =>
    selectionSet ? fieldsNamed(selectionSet, name, info) : [],
  );
}

function fieldsNamed(set: SelectionSetNode, name: string, info: GraphQLResolveInfo): FieldNode[] {
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return selection.name.value === name ? [selection] : [];
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : info.fragments[selection.name.value];
    return inner ? fieldsNamed(inner.selectionSet, name, info) : [];
  });
}
