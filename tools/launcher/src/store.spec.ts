import { createServer } from 'node:net';
import { freePort } from '@sextant/local-services';
import { startTestMongo } from '@sextant/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkStore } from './store.js';

describe('checkStore', () => {
  let mongo: Awaited<ReturnType<typeof startTestMongo>>;
  beforeAll(async () => {
    mongo = await startTestMongo();
  });
  afterAll(() => mongo.stop());

  it('is content with a replica set', async () => {
    await checkStore(mongo.uri);
  });

  it('names MONGODB_URI, the reason and the remedy where nothing answers, and never the password', async () => {
    const port = await freePort();
    const refused = checkStore(`mongodb://someone:s3cret@127.0.0.1:${port}/x`, 300);
    await expect(refused).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        /MONGODB_URI cannot be used: .*127\.0\.0\.1.*Start it or correct MONGODB_URI/,
      ),
    });
    await expect(refused).rejects.not.toThrow(/s3cret/);
  });

  it('gives up on a store that takes the connection and says nothing', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined).resume());
    const port = await new Promise<number>((resolve) =>
      silent.listen(0, '127.0.0.1', () => {
        const address = silent.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      }),
    );
    await expect(checkStore(`mongodb://127.0.0.1:${port}/`, 300)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    await new Promise((resolve) => silent.close(resolve));
  });

  it('says what is wrong with an address that is none', async () => {
    await expect(checkStore('nonsense')).rejects.toThrow(/MONGODB_URI cannot be used: .*mongodb:\/\//);
  });
});
