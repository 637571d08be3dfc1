import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { ApolloServer, HeaderMap } from '@apollo/server';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { verifySignature } from './verify-signature.js';

const read = (file) => readFileSync(new URL(file, import.meta.url), 'utf8');
const { PORT = '4201', SEXTANT_PARTNER_SECRET: secret } = process.env;
if (!secret) throw new Error('SEXTANT_PARTNER_SECRET must hold the secret agreed with the company');

const stock = new Map(Object.entries(JSON.parse(read('stock.json'))));
const resolvers = { Product: { partnerStock: ({ id }) => stock.get(id) ?? null } };
const apollo = new ApolloServer({
  schema: buildSubgraphSchema([{ typeDefs: parse(read('schema.graphql')), resolvers }]),
});
await apollo.start();

createServer(async (request, response) => {
  const { method, url: path, headers } = request;
  const body = await text(request);
  if (!verifySignature({ method, path, body, headers }, { name: 'partner-stock', secret }))
    return response.writeHead(401).end();
  const { status, ...answer } = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method,
      headers: new HeaderMap(Object.entries(headers)),
      body: JSON.parse(body),
      search: '',
    },
    context: async () => ({}),
  });
  response.writeHead(status ?? 200, Object.fromEntries(answer.headers)).end(answer.body.string);
}).listen(Number(PORT), () => console.log(`partner-stock listens on http://127.0.0.1:${PORT}/graphql`));
