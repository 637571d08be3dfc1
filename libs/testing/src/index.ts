export { SHARED_MONGO, startMongoServer, startTestMongo, type TestMongo } from './test-mongo.js';
export { openStream, type OpenedStream, type StreamedEvent, textTold, told } from './event-stream.js';
