// Operations of three kinds, none equal to another: texts from a seeded pool, arguments drawn for each request.

/** Numbers in [0, 1) from a seed (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const some = (next, fields) => fields.filter(() => next() < 0.6).join(' ');
const customerFields = (next) => `id ${some(next, ['name', 'email', 'city', 'joined', 'orders'])}`;
const scoreFields = (next) => `score { probability ${some(next, ['band', 'reasons { feature weight }'])} }`;
const productFields = (next) =>
  `id title price { amount currency } ${some(next, ['category', 'stock', 'popularity'])}`;

const KINDS = {
  list: {
    text: (next) => `query List($first: Int!, $after: Int) {
      customers(first: $first, after: $after) { ${customerFields(next)} ${scoreFields(next)} account { id name } }
    }`,
    variables: (next) => ({ first: 50, after: Math.floor(next() * 5_000) }),
  },
  deep: {
    text: (next) => `query Deep($id: ID!) {
      customer(id: $id) {
        ${customerFields(next)}
        account { name tier members(first: 5) {
          ${customerFields(next)} ${scoreFields(next)}
          recommendations(first: 4) { ${productFields(next)} }
        } }
      }
    }`,
    variables: (next) => ({ id: String(Math.floor(next() * 5_000)) }),
  },
  fanOut: {
    text: (next) => {
      const count = 20;
      const names = Array.from({ length: count }, (_, index) => `i${index}`);
      const fields = `${customerFields(next)} ${scoreFields(next)} recommendations(first: 2) { ${productFields(next)} }`;
      return `query FanOut(${names.map((name) => `$${name}: ID!`).join(', ')}) {
        ${names.map((name) => `c_${name}: customer(id: $${name}) { ${fields} }`).join('\n')}
      }`;
    },
    variables: (next) =>
      Object.fromEntries(
        Array.from({ length: 20 }, (_, index) => [`i${index}`, String(Math.floor(next() * 5_000))]),
      ),
  },
};

/** @returns a function that draws the body of the next request */
export function requests(kind, { texts, seed }) {
  const next = random(seed);
  const pool = Array.from({ length: texts }, () => KINDS[kind].text(next));
  return () => ({
    query: pool[Math.floor(next() * pool.length)],
    variables: KINDS[kind].variables(next),
  });
}

export const KIND_NAMES = Object.keys(KINDS);
