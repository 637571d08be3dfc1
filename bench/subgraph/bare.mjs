// A bare Apollo subgraph: `standalone` on Apollo's own HTTP server, `express` on express, `signed` on express with our signature checked.
import { createServer } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { expressMiddleware } from '@as-integrations/express5';
import { verifyRequest } from '@sextant/platform';
import express from 'express';
import { parse } from 'graphql';
import { label, margin, productLoader, reportCpu, SDL } from './fixture.mjs';

const resolvers = {
  Query: { product: (_source, { id }, { products }) => products.load(id) },
  Product: { __resolveReference: ({ id }, { products }) => products.load(id), label, margin },
};
const apollo = new ApolloServer({
  schema: buildSubgraphSchema([{ typeDefs: parse(SDL), resolvers }]),
  plugins: [ApolloServerPluginInlineTraceDisabled()],
});
const context = async () => ({ products: productLoader() });
const kind = process.argv[2];
if (kind === 'standalone') {
  const { url } = await startStandaloneServer(apollo, { context, listen: { port: 0, host: '127.0.0.1' } });
  reportCpu(`${url}graphql`);
} else {
  await apollo.start();
  const app = express();
  if (kind === 'signed') app.use(express.raw({ type: 'application/json', limit: '16mb' }), checkSignature);
  else app.use(express.json({ limit: '16mb' }));
  app.use('/graphql', expressMiddleware(apollo, { context }));
  const server = createServer(app).listen(0, '127.0.0.1', () =>
    reportCpu(`http://127.0.0.1:${server.address().port}/graphql`),
  );
}

function checkSignature(request, _response, next) {
  const signed = { receiver: 'bench', method: request.method, path: '/graphql', body: request.body };
  const secret = process.env['SEXTANT_SIGNING_SECRET'];
  verifyRequest(signed, request.headers, { secret, maxAgeMs: 30_000, nowMs: Date.now() });
  request.body = JSON.parse(request.body.toString('utf8'));
  next();
}
