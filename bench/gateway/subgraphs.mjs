// The subgraphs, in one process: node subgraphs.mjs; prints their URLs as JSON.
import { createServer } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { execute, parse } from 'graphql';
import { RESOLVERS, SUBGRAPHS, typeDefs } from './shop.mjs';

const urls = {};
for (const name of SUBGRAPHS) {
  const schema = buildSubgraphSchema([{ typeDefs: parse(typeDefs(name)), resolvers: RESOLVERS[name] }]);
  const parsed = new Map();
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      const { query, variables, operationName } = JSON.parse(Buffer.concat(chunks).toString());
      if (parsed.size > 5_000) parsed.clear();
      if (!parsed.has(query)) parsed.set(query, parse(query));
      const result = await execute({
        schema,
        document: parsed.get(query),
        variableValues: variables,
        operationName,
      });
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
    });
  });
  server.keepAliveTimeout = 65_000; // a slow machine must not cost anybody a connection
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  urls[name] = `http://127.0.0.1:${server.address().port}/graphql`;
}
process.stdout.write(`${JSON.stringify(urls)}\n`);
