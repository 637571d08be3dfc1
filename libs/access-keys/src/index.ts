export { type AccessKey, KEY_PREFIX } from './access-key.js';
export { AccessKeyRepository, type ListedAccessKey, type NewAccessKey } from './access-key.repository.js';
export { KeyRing, type KeyRingOptions } from './key-ring.js';
