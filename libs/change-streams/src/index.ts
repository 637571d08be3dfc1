export type { Change } from './change.js';
export { ChangeFeed, type FeedOptions, type SubscribeOptions } from './change-feed.js';
export type { FeedSubscription } from './feed-subscription.js';
export { cursorOf, positionOf, startOf, type StreamPosition } from './stream-cursor.js';
