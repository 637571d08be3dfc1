export { SHARED_MONGO, startMongoServer, startTestMongo, type TestMongo } from './test-mongo.js';
