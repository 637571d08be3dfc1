import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../exit-code.js';
import { inheritSettings } from '../inherit-settings.js';
import { modelCommand } from './model.command.js';

/** Nobody listens there. */
const NOWHERE = ['--url', 'http://127.0.0.1:9/graphql', '--token', 't'];

/** The command as `sextant` runs it: its exit code and what it said. */
async function run(args: string[]): Promise<{ code: number; said: string }> {
  let [code, said] = [0, ''];
  const program = new Command('sextant')
    .exitOverride()
    .configureOutput({ writeErr: (text) => (said += text) });
  const output = { print: () => undefined, say: () => undefined, fail: () => (code = 1) };
  const authority = { dataDir: 'nowhere', issuer: 'i', audience: 'a' };
  program.addCommand(inheritSettings(modelCommand(authority, output), program));
  try {
    await program.parseAsync(['model', ...args], { from: 'user' });
  } catch (error) {
    code = exitCodeOf(error, (message) => (said += message));
  }
  return { code, said };
}

describe('sextant model', () => {
  it.each<[string[], RegExp]>([
    [['promote', '@', '--to', 'LIVE'], /INVALID_INPUT: a version is named like churn@7/],
    [['promote', 'churn@1'], /required option '--to <stage>'/],
    [['promote', 'churn@1', '--to', 'BEST'], /Allowed choices are SHADOW, CANARY, LIVE, RETIRED/],
    [['promote', 'demo.churn@1', '--to', 'CANARY', '--share', '2'], /--share must be above 0 and at most 1/],
    [
      ['promote', 'demo.churn@1', '--to', 'LIVE', '--override', 'why'],
      /--override must say why in at least 10/,
    ],
    [['rollback', 'churn'], /required option '--reason <reason>'/],
    [['show', 'churn', '--versions', '51'], /--versions must be a whole number from 1 to 50/],
    [['train', 'weather'], /'weather' is invalid for argument 'task'/],
    [['train', 'churn', '--seed', '-1'], /--seed must be a whole number from 0/],
    [['train', 'churn', '--max-minutes', 'ten'], /--max-minutes must be a whole number from 1 to 600/],
    [['jobs', '--first', '101'], /--first must be a whole number from 1 to 100/],
    [['import', 'missing.onnx', '--describe', 'x'], /missing\.onnx cannot be read/],
    [['import', 'missing.onnx'], /required option '--describe <file>'/],
    [['list', '--tenant', 'demo'], /give --tenant or --token, not both/],
  ])('takes %j for wrong usage, says why and ends with 2', async (args, message) => {
    const { code, said } = await run([...args, ...NOWHERE]);
    expect(said).toMatch(message);
    expect(code).toBe(2);
  });

  it('sends a change once, and says that nobody knows what became of it', async () => {
    const { code, said } = await run(['rollback', 'churn', '--reason', 'x', ...NOWHERE]);
    expect(code).toBe(1);
    expect(said).toMatch(
      /GATEWAY_UNAVAILABLE: .*did not answer .*: look whether it was done before you do it again/,
    );
  });

  it('says how to begin where no installation is', async () => {
    const { code, said } = await run(['list']);
    expect(code).toBe(2);
    expect(said).toMatch(/CONFIG_INVALID: .*run npm start first, or give --url and --token/);
  });
});
