import { Command } from 'commander';
import type { TokenAuthority } from '../access/token-mint.js';
import { connectionOf, withConnection } from '../graph/connection.js';
import { GraphClient } from '../graph/graph.client.js';
import { importModelCommand } from './import-model.command.js';
import { lifecycleCommands } from './lifecycle.command.js';
import type { ModelSurroundings } from './model-surroundings.js';
import { ModelClient } from './model.client.js';
import { questionCommands } from './question.command.js';
import { trainingCommands } from './training.command.js';

/** A person waits: the gateway is given this long to come back. */
const PATIENCE_MS = 10_000;

export function modelCommand(authority: TokenAuthority, output: Omit<ModelSurroundings, 'client'>): Command {
  const surroundings: ModelSurroundings = {
    ...output,
    client: (flags) =>
      new ModelClient(
        new GraphClient({
          ...connectionOf(flags, authority),
          patienceMs: PATIENCE_MS,
          onRetry: (reason) => output.say(`the gateway is not there yet (${reason}); trying again`),
        }),
      ),
  };
  const command = new Command('model')
    .description('which model answers, why, and what else there is')
    .addHelpText('after', EXAMPLES);
  for (const sub of [
    ...questionCommands(surroundings),
    ...lifecycleCommands(surroundings),
    ...trainingCommands(surroundings),
    importModelCommand(surroundings),
  ])
    command.addCommand(withConnection(sub).option('--json', 'print what the graph answers, as one line'));
  return command;
}

const EXAMPLES = `
Examples:
  sextant model list                                    every model: live, challenger, newest version
  sextant model show churn                              its versions and the gates they failed
  sextant model show churn@7                            one version: metrics, gates, fairness, history
  sextant model train churn --wait                      learn a new version and wait for it
  sextant model promote churn@7 --to CANARY --share 0.05
  sextant model rollback churn --reason "refunds went up"
  sextant model drift churn --fail                      exit code 1 when something was found
  sextant model import churn.onnx --describe churn.yaml
  sextant model trained-on shop:4711                    versions that learnt from a customer
Exit codes: 0 done, 1 refused or failed, 2 wrong usage.`;
