// What a subgraph of somebody else may bring into the graph: nullable fields of Product, each with a rule of who may see it, and
// types of its own. Composition alone would let it hide our fields, narrow our inputs, take fields over, or be sent what it must not know.
import { Kind, valueFromASTUntyped, visit } from 'graphql';
import { placeOf } from './subgraph-files.mjs';

const EXTENDED = 'Product';
/** Directives that would change what other subgraphs say, or who answers for it. */
const NOT_FOR_PARTNERS = ['override', 'inaccessible', 'interfaceObject', 'composeDirective'];
const RULES = ['requiresScopes', 'authenticated', 'policy'];

/**
 * @param partner   document of the subgraph that is added
 * @param services  those of the company, `{ name, typeDefs }`
 * @returns         one text for each rule that is broken, with its place and the remedy; none where all is well
 */
export function partnerProblems(partner, services) {
  const company = companyOf(services);
  const types = partner.definitions.filter((node) => 'name' in node && node.name);
  return [
    ...directiveProblems(partner),
    ...types.flatMap((type) => typeProblems(type, company)),
    ...types.filter(isProduct).flatMap((type) => productProblems(type, company)),
    ...scopeProblems(partner, company),
  ];
}

function companyOf(services) {
  const definitions = services.flatMap(({ typeDefs }) => typeDefs.definitions);
  const named = definitions.filter((node) => node.name);
  const fields = new Map();
  for (const type of named)
    for (const field of type.fields ?? []) fields.set(`${type.name.value}.${field.name.value}`, field);
  return {
    types: new Set(named.map(({ name }) => name.value)),
    scalars: namesOf(named, ({ kind }) => kind === Kind.SCALAR_TYPE_DEFINITION),
    shared: namesOf(named, (type) => hasDirective(type, ['shareable'])),
    fields,
    scopes: scopesIn({ kind: Kind.DOCUMENT, definitions }).map(({ scope }) => scope),
  };
}

function directiveProblems(partner) {
  const problems = [];
  const visitDirective = (node) => {
    if (NOT_FOR_PARTNERS.includes(node.name.value))
      problems.push(
        problem(
          node,
          `@${node.name.value} is not for a partner's subgraph: it changes what others answer for`,
        ),
      );
  };
  visit(partner, { Directive: visitDirective });
  return problems;
}

function typeProblems(type, company) {
  const name = type.name.value;
  if (['Query', 'Mutation', 'Subscription'].includes(name))
    return [
      problem(type, `a partner's subgraph has no fields of ${name}: bring them as fields of ${EXTENDED}`),
    ];
  const ours = (type.interfaces ?? []).filter((node) => company.types.has(node.name.value));
  const found = ours.map((node) =>
    problem(node, `${name} cannot implement ${node.name.value}, which is ours`),
  );
  for (const tag of type.directives?.filter(({ name }) => name.value === 'tag') ?? [])
    found.push(problem(tag, `@tag on a type tags every field of it: tag the fields of ${name} instead`));
  if (name === EXTENDED || !company.types.has(name) || company.scalars.has(name)) return found;
  if (!company.shared.has(name))
    return [...found, problem(type, `the type ${name} is ours already: choose another name`)];
  const unknown = (type.fields ?? []).filter((field) => !company.fields.has(`${name}.${field.name.value}`));
  return [
    ...found,
    ...unknown.map((field) =>
      problem(field, `${name} has no field ${field.name.value}: a shared type stays as it is`),
    ),
  ];
}

function productProblems(type, company) {
  const found = [];
  for (const directive of type.directives ?? []) {
    if (directive.name.value === 'key' && argumentOf(directive, 'fields') !== 'id')
      found.push(problem(directive, `the key of ${EXTENDED} is its id: @key(fields: "id")`));
    if (RULES.includes(directive.name.value))
      found.push(
        problem(directive, `a rule on ${EXTENDED} would hold for every field of it: state it on your fields`),
      );
  }
  for (const field of type.fields ?? []) found.push(...fieldProblems(field, company));
  return found;
}

function fieldProblems(field, company) {
  const name = field.name.value;
  const ours = company.fields.get(`${EXTENDED}.${name}`);
  if (name === 'id') return [];
  if (hasDirective(field, ['external']))
    return ours && isTaggedForPartners(ours)
      ? []
      : [
          problem(
            field,
            `${EXTENDED}.${name} is not open to partners, so it cannot be sent to this subgraph`,
          ),
        ];
  if (ours) return [problem(field, `${EXTENDED}.${name} is ours already: choose another name`)];
  const found = [];
  if (field.type.kind === Kind.NON_NULL_TYPE)
    found.push(
      problem(field, `${EXTENDED}.${name} must be nullable: when this subgraph is down the product stays`),
    );
  if (!hasDirective(field, RULES))
    found.push(
      problem(
        field,
        `${EXTENDED}.${name} must say who may see it, e.g. @requiresScopes(scopes: [["catalogue:read"]])`,
      ),
    );
  if (!field.description) found.push(problem(field, `${EXTENDED}.${name} needs a description`));
  return found;
}

function scopeProblems(partner, company) {
  return scopesIn(partner)
    .filter(({ scope }) => !company.scopes.includes(scope))
    .map(({ node, scope }) =>
      problem(
        node,
        `nobody has the scope ${scope}; there are ${[...new Set(company.scopes)].sort().join(', ')}`,
      ),
    );
}

function scopesIn(document) {
  const found = [];
  visit(document, {
    Directive(node) {
      if (node.name.value !== 'requiresScopes') return;
      for (const scope of (argumentOf(node, 'scopes') ?? []).flat()) found.push({ node, scope });
    },
  });
  return found;
}

const isProduct = (type) => type.name.value === EXTENDED;
const isTaggedForPartners = (field) =>
  (field.directives ?? []).some(
    (node) => node.name.value === 'tag' && argumentOf(node, 'name') === 'partner',
  );

function namesOf(types, isWanted) {
  return new Set(types.filter(isWanted).map(({ name }) => name.value));
}

function hasDirective(node, names) {
  return (node.directives ?? []).some(({ name }) => names.includes(name.value));
}

function argumentOf(directive, name) {
  const argument = (directive.arguments ?? []).find((candidate) => candidate.name.value === name);
  return argument && valueFromASTUntyped(argument.value);
}

function problem(node, text) {
  return `PARTNER_RULE: ${text}\n    at ${placeOf(node)}`;
}
