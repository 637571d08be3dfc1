export {
  BINARY_CACHE,
  SHARED_MONGO,
  startMongoServer,
  startTestMongo,
  type TestMongo,
} from './test-mongo.js';
