import { nodeIdOf } from '@sextant/domain';
import { type GraphQLSchema, isObjectType } from 'graphql';

/** The field `nodeId` of each type that has one: it follows from the name of the type and its `id`. */
export function resolveNodeIds(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    const field = isObjectType(type) ? type.getFields()['nodeId'] : undefined;
    if (field) field.resolve = (source) => nodeIdOf(type.name, (source as { id: string }).id);
  }
  return schema;
}
