// What an operation uses of a schema, as coordinates: `Type`, `Type.field`, `Type.field(argument:)`, `Enum.VALUE`.
import { getNamedType, isEnumType, isInputObjectType, TypeInfo, visit, visitWithTypeInfo } from 'graphql';

/** The coordinates that a valid document touches; of input objects all that its variables can carry. */
export function coordinatesOf(document, schema) {
  const found = new Set();
  const info = new TypeInfo(schema);
  const inputs = new Set();
  const visitor = {
    Field() {
      const field = info.getFieldDef();
      found.add(`${info.getParentType().name}.${field.name}`);
      found.add(getNamedType(field.type).name);
      addEnumValues(getNamedType(field.type), found);
    },
    Argument() {
      const argument = info.getArgument();
      found.add(`${info.getParentType()?.name}.${info.getFieldDef()?.name}(${argument.name}:)`);
      addInput(getNamedType(argument.type), found, inputs);
    },
    FragmentDefinition: (node) => void found.add(node.typeCondition.name.value),
    InlineFragment: (node) => void (node.typeCondition && found.add(node.typeCondition.name.value)),
    VariableDefinition: () => addInput(getNamedType(info.getInputType()), found, inputs),
  };
  visit(document, visitWithTypeInfo(info, visitor));
  return found;
}

function addInput(type, found, seen) {
  if (!type || seen.has(type)) return;
  seen.add(type);
  found.add(type.name);
  addEnumValues(type, found);
  if (!isInputObjectType(type)) return;
  for (const field of Object.values(type.getFields())) {
    found.add(`${type.name}.${field.name}`);
    addInput(getNamedType(field.type), found, seen);
  }
}

function addEnumValues(type, found) {
  if (isEnumType(type)) for (const { name } of type.getValues()) found.add(`${type.name}.${name}`);
}
