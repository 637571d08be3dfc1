import { Command } from 'commander';
import { wholeNumber } from '../flags.js';
import { driftText } from './drift-text.js';
import { type ModelFlags, type ModelSurroundings, printAnswer } from './model-surroundings.js';
import { modelsTable, modelText, versionsTable, versionText } from './model-text.js';

/** Commands that change nothing. */
export function questionCommands(surroundings: ModelSurroundings): Command[] {
  const { client } = surroundings;
  return [
    new Command('list')
      .description('every model: what answers, what is tried out beside it, what was learnt last')
      .action(async (flags: ModelFlags) => {
        printAnswer(surroundings, flags, { answer: await client(flags).list(), text: modelsTable });
      }),
    new Command('show')
      .description('the versions of a model, or everything about one version')
      .argument('<model>', 'a model (churn) or a version (churn@7)')
      .option('--versions <n>', 'of a model: newest versions to show', '10')
      .action(async (name: string, flags: ModelFlags & { versions: string }) => {
        const models = client(flags);
        if (name.includes('@')) {
          const answer = await models.version(await models.idOf(name));
          return printAnswer(surroundings, flags, { answer, text: versionText });
        }
        const answer = await models.model(name, wholeNumber('--versions', flags.versions, 50));
        printAnswer(surroundings, flags, { answer, text: modelText });
      }),
    new Command('drift')
      .description('what the newest closed window showed beside what the live version was trained on')
      .argument('<model>', 'such as churn')
      .option('--window <period>', 'how far back its end may lie, such as 24h or 7d', '24h')
      .option('--fail', 'exit code 1 when something was found')
      .action(async (name: string, flags: ModelFlags & { window: string; fail?: boolean }) => {
        const answer = await client(flags).drift(name, flags.window);
        printAnswer(surroundings, flags, { answer, text: driftText });
        if (flags.fail && answer.findings.length > 0) surroundings.fail();
      }),
    new Command('trained-on')
      .description('the versions that learnt from a customer')
      .argument('<ref>', "the company's own name of the customer, such as shop:4711")
      .action(async (ref: string, flags: ModelFlags) => {
        printAnswer(surroundings, flags, { answer: await client(flags).trainedOn(ref), text: versionsTable });
      }),
  ];
}
