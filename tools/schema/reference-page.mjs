// The page docs/reference/graph.md: every type of the graph with who may see a field, what it costs, and what is about to go.
import { Kind, parse, print, valueFromASTUntyped } from 'graphql';

const ROOTS = { Query: 'Queries', Mutation: 'Mutations', Subscription: 'Subscriptions' };
const KINDS = [
  ['Objects', Kind.OBJECT_TYPE_DEFINITION],
  ['Interfaces', Kind.INTERFACE_TYPE_DEFINITION],
  ['Unions', Kind.UNION_TYPE_DEFINITION],
  ['Inputs', Kind.INPUT_OBJECT_TYPE_DEFINITION],
  ['Enums', Kind.ENUM_TYPE_DEFINITION],
  ['Scalars', Kind.SCALAR_TYPE_DEFINITION],
];

/** @param supergraphSdl  has the rules and costs; @param schema  the public schema, which says what of it clients see */
export function referencePage(supergraphSdl, schema) {
  const types = parse(supergraphSdl)
    .definitions.filter((node) => node.name && schema.getType(node.name.value))
    .sort((one, other) => (one.name.value < other.name.value ? -1 : 1));
  const linked = (name) =>
    schema.getType(name) && types.some((type) => type.name.value === name) ? name : null;
  const roots = Object.entries(ROOTS).flatMap(([name, title]) => {
    const type = types.find((node) => node.name.value === name);
    return type ? [`## ${title}`, fieldTable(type, linked)] : [];
  });
  const kinds = KINDS.flatMap(([title, kind]) => {
    const listed = types.filter((type) => type.kind === kind && !(type.name.value in ROOTS));
    return listed.length > 0 ? [`## ${title}`, ...listed.flatMap((type) => section(type, linked))] : [];
  });
  return `${[INTRODUCTION, ...roots, ...kinds].join('\n\n')}\n`;
}

const INTRODUCTION = `# Reference of the graph

<!-- Written by npm run reference from gateway/supergraph.graphql. -->

*Who* names the scopes that a token needs: \`a + b\` both, \`a / b\` one of the two; where nothing stands, whoever may see the object may see the field.
*Cost* is the weight of the field where it is not that of its type, and how many entries a list is taken to have
([limits](../guides/limits.md)); P marks what the [partner contract](partner.graphql) shows. The same as SDL:
[schema.graphql](schema.graphql).`;

function section(type, linked) {
  const parts = [`### ${type.name.value}`];
  if (type.description) parts.push(type.description.value);
  const interfaces = (type.interfaces ?? []).map(({ name }) => name.value).filter(linked);
  if (interfaces.length > 0) parts.push(`Implements ${interfaces.map(link).join(', ')}.`);
  if (type.types) parts.push(type.types.map(({ name }) => link(name.value)).join(' · '));
  if (type.values) parts.push(valueTable(type));
  if (type.fields) parts.push(fieldTable(type, linked));
  return parts;
}

function valueTable({ values }) {
  const rows = values.map((value) => `| \`${value.name.value}\` | ${remarks(value)} |`);
  return ['| value | |', '|---|---|', ...rows].join('\n');
}

function fieldTable({ kind, fields }, linked) {
  if (kind === Kind.INPUT_OBJECT_TYPE_DEFINITION) {
    const rows = fields.map((field) => {
      const fallback = field.defaultValue ? ` = \`${print(field.defaultValue)}\`` : '';
      return `| \`${field.name.value}\` | ${typeText(field.type, linked)}${fallback} | ${remarks(field)} |`;
    });
    return ['| field | type | |', '|---|---|---|', ...rows].join('\n');
  }
  const rows = fields.map((field) => {
    const args = field.arguments.map((argument) => argumentText(argument, linked)).join(', ');
    const name = `\`${field.name.value}\`${args ? ` (${args})` : ''}`;
    return `| ${name} | ${typeText(field.type, linked)} | ${whoOf(field)} | ${costOf(field)} | ${remarks(field)} |`;
  });
  return ['| field | type | who | cost | |', '|---|---|---|---|---|', ...rows].join('\n');
}

function argumentText({ name, type, defaultValue, description }, linked) {
  const fallback = defaultValue ? ` = \`${print(defaultValue)}\`` : '';
  const about = description ? ` (${oneLine(description.value)})` : '';
  return `\`${name.value}\`: ${typeText(type, linked)}${fallback}${about}`;
}

function typeText(node, linked) {
  if (node.kind === Kind.NON_NULL_TYPE) return `${typeText(node.type, linked)}!`;
  if (node.kind === Kind.LIST_TYPE) return `\\[${typeText(node.type, linked)}\\]`;
  return linked(node.name.value) ? link(node.name.value) : node.name.value;
}

function whoOf(field) {
  const rules = [
    ...directives(field, 'requiresScopes').map(({ scopes }) => scopes),
    ...directives(field, 'policy').map(({ policies }) =>
      policies.map((all) => all.map((p) => `policy ${p}`)),
    ),
    ...directives(field, 'authenticated').map(() => [['any token']]),
  ];
  return rules.map((rule) => rule.map((all) => all.map(code).join(' + ')).join(' / ')).join(' and ');
}

function costOf(field) {
  const demands = directives(field, 'demand');
  const isSizedByList = demands.some(({ sizedBy }) => sizedBy);
  const sizes = isSizedByList ? [] : directives(field, 'listSize');
  const parts = [
    ...directives(field, 'cost').map(({ weight }) => String(weight)),
    ...sizes.map(({ assumedSize, slicingArguments }) => {
      const slices = (slicingArguments ?? []).map(code).join(', ');
      return slices ? `× ${slices}, else × ${assumedSize}` : `× ${assumedSize}`;
    }),
    ...demands.filter(({ sizedBy }) => sizedBy).map(({ sizedBy }) => `× length of ${code(sizedBy)}`),
    ...demands.filter(({ rows }) => rows).map(({ rows }) => `, ${rows} rows`.replace(/ 1 rows/, ' 1 row')),
  ];
  return parts.join(' ').replace(' ,', ',').replace(/^, /, '');
}

function remarks(node) {
  const deprecated = directives(node, 'deprecated').map(({ reason }) => `**Deprecated.** ${reason ?? ''}`);
  const partner = directives(node, 'tag').some(({ name }) => name === 'partner') ? ['(P)'] : [];
  const about = node.description ? [oneLine(node.description.value)] : [];
  return [...deprecated, ...about, ...partner].join(' ');
}

function directives(node, name) {
  return (node.directives ?? [])
    .filter((directive) => directive.name.value === name)
    .map(({ arguments: args }) =>
      Object.fromEntries((args ?? []).map((a) => [a.name.value, valueFromASTUntyped(a.value)])),
    );
}

const oneLine = (text) => text.replace(/\s+/g, ' ').replaceAll('|', '\\|');
const code = (text) => `\`${text}\``;
const link = (name) => `[${name}](#${name.toLowerCase()})`;
