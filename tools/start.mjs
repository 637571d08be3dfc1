// `npm start`: builds, then becomes the launcher. One process, so that a signal to it reaches what it started.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const started = Date.now();
const build = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', root], {
  stdio: 'inherit',
});
if (build.status !== 0) {
  console.error('The build failed: see the messages above.');
  process.exit(1);
}
console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  build`);
await import(join(root, 'tools/launcher/dist/main.js'));
