import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { checkNode, starterOf, whenGone } from './starters.js';

describe('who started us', () => {
  it('is looked for past a shell, and no further', async () => {
    const shell = spawn('sh', ['-c', 'sleep 60; true'], { stdio: 'ignore' });
    await once(shell, 'spawn');
    expect(starterOf(shell.pid ?? -1)).toBe(process.pid);
    expect(starterOf(process.pid)).toBe(process.pid);
    shell.kill('SIGKILL');
  });

  it('is noticed when it goes', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const gone = new Promise<void>((resolve) => whenGone(child.pid ?? -1, resolve, 10));
    child.kill('SIGKILL');
    await gone;
    expect(child.killed).toBe(true);
  });
});

describe('checkNode', () => {
  it('takes 24 and newer, and says how to get it otherwise', () => {
    expect(() => checkNode('24.0.0')).not.toThrow();
    expect(() => checkNode('26.1.0')).not.toThrow();
    expect(() => checkNode('20.20.2')).toThrow(/Node 20\.20\.2.*npm start/);
  });
});
