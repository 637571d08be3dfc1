export { CACHE_DIRECTORY } from './cache-directory.js';
export { type BinarySearch, findMongod } from './mongod-binary.js';
export { freePort, type MongodOptions, type RunningMongod, startMongod } from './mongod-process.js';
export { findLightGbm, type LightGbmSearch } from './lightgbm-library.js';
export { findSoftwareVulkan, type SoftwareVulkan, type VulkanSearch } from './software-vulkan.js';
