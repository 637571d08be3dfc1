// Changes of a public schema that break clients, and whether the release before announced them.
import { ChangeType, CriticalityLevel, diff } from '@graphql-inspector/core';
import { getNamedType, validate } from 'graphql';
import { coordinatesOf } from './coordinates.mjs';

/**
 * @param released    schema of the last release
 * @param next        schema as it is now
 * @param operations  of clients, `{ name, id, document }`
 * @param today       `YYYY-MM-DD`; what was announced may go from its date on
 * @returns           `{ message, path, operations, announced }` of each breaking change, `operations` being names of those it breaks
 */
export async function breakingChanges(released, next, operations, today) {
  const changes = await diff(released, next);
  const used = operations
    .filter(({ document }) => validate(released, document).length === 0)
    .map((operation) => ({ operation, coordinates: coordinatesOf(operation.document, released) }));
  return changes
    .filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking)
    .map((change) => ({
      message: change.message,
      path: change.path ?? '',
      announced: isAnnounced(change, released, today),
      operations: used
        .filter(({ coordinates }) => isTouched(coordinates, change))
        .map(({ operation }) => operation.name ?? operation.id),
    }));
}

/** An operation is touched by what it uses, and by what it lacks: a new argument or field of an input that is needed. */
function isTouched(coordinates, { path = '', type }) {
  const added = [ChangeType.FieldArgumentAdded, ChangeType.InputFieldAdded].includes(type);
  return coordinates.has(coordinateOf(added ? path.slice(0, path.lastIndexOf('.')) : path));
}

/** `Query.customer.ref` of a change is `Query.customer(ref:)` of an operation. */
function coordinateOf(path) {
  const [type, field, argument] = path.split('.');
  return argument === undefined ? path : `${type}.${field}(${argument}:)`;
}

/** Deprecated in the release before, with a date that has come. */
function isAnnounced({ path = '', type }, released, today) {
  if (type === ChangeType.TypeRemoved) return isUnreached(path, released, today);
  const removals = [
    ChangeType.FieldRemoved,
    ChangeType.FieldArgumentRemoved,
    ChangeType.InputFieldRemoved,
    ChangeType.EnumValueRemoved,
  ];
  if (!removals.includes(type)) return false;
  return isDue(elementAt(path, released)?.deprecationReason, today);
}

/** A type may go when all that leads to it was announced. */
function isUnreached(name, released, today) {
  const types = Object.values(released.getTypeMap()).filter((type) => !type.name.startsWith('__'));
  const leading = types.flatMap((type) =>
    'getFields' in type && type.name !== name
      ? Object.values(type.getFields()).flatMap((field) => [
          ...(getNamedType(field.type).name === name ? [field] : []),
          ...(field.args ?? []).filter((argument) => getNamedType(argument.type).name === name),
        ])
      : [],
  );
  return leading.every(({ deprecationReason }) => isDue(deprecationReason, today));
}

function isDue(reason, today) {
  const [date] = /\d{4}-\d{2}-\d{2}/.exec(reason ?? '') ?? [];
  return date !== undefined && date <= today;
}

function elementAt(path, schema) {
  const [typeName, fieldName, argumentName] = path.split('.');
  const type = schema.getType(typeName);
  if (type && 'getValue' in type) return type.getValue(fieldName);
  const field = type && 'getFields' in type ? type.getFields()[fieldName] : undefined;
  return argumentName === undefined ? field : field?.args.find(({ name }) => name === argumentName);
}
