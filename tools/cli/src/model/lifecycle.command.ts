import { DomainError } from '@sextant/domain';
import { Command, Option } from 'commander';
import { shareOf } from '../flags.js';
import { type ModelFlags, type ModelSurroundings, printAnswer } from './model-surroundings.js';
import { gateRows, staged } from './model-text.js';

const STAGES = ['SHADOW', 'CANARY', 'LIVE', 'RETIRED'] as const;
const MIN_OVERRIDE_CHARACTERS = 10;

interface PromoteFlags extends ModelFlags {
  to: (typeof STAGES)[number];
  share?: string;
  override?: string;
}

/** Commands that change which version answers. */
export function lifecycleCommands(surroundings: ModelSurroundings): Command[] {
  const { client } = surroundings;
  return [
    new Command('promote')
      .description('bring a version into a stage; failed gates stop it by name')
      .argument('<version>', 'such as churn@7')
      .addOption(
        new Option('--to <stage>', 'SHADOW (unseen), CANARY (a share of the calls), LIVE, RETIRED')
          .choices(STAGES)
          .makeOptionMandatory(),
      )
      .option('--share <share>', "of the calls, for SHADOW and CANARY (default: the policy's)")
      .option('--override <reason>', 'promote although gates failed; at least 10 characters, kept for ever')
      .action((name: string, flags: PromoteFlags) => promote(surroundings, name, flags)),
    new Command('rollback')
      .description('the version that was live before answers again')
      .argument('<model>', 'such as churn')
      .requiredOption('--reason <reason>', 'why; kept with the version')
      .action(async (model: string, flags: ModelFlags & { reason: string }) => {
        const answer = await client(flags).rollback(model, flags.reason);
        printAnswer(surroundings, flags, { answer, text: ({ id }) => `${id} answers again\n` });
      }),
  ];
}

async function promote(surroundings: ModelSurroundings, name: string, flags: PromoteFlags): Promise<void> {
  const { to, override } = flags;
  if (override !== undefined && override.trim().length < MIN_OVERRIDE_CHARACTERS) {
    throw new DomainError(
      'INVALID_INPUT',
      `--override must say why in at least ${MIN_OVERRIDE_CHARACTERS} characters, got "${override}"`,
      { path: '--override' },
    );
  }
  const models = surroundings.client(flags);
  const versionId = await models.idOf(name);
  const share = flags.share === undefined ? undefined : shareOf('--share', flags.share);
  const answer = await models.promote({
    ...{ versionId, to },
    ...(share !== undefined && { share }),
    ...(override !== undefined && { override }),
  });
  const { version, blockedBy } = answer;
  printAnswer(surroundings, flags, {
    answer,
    text: () =>
      blockedBy.length === 0
        ? `${versionId}: ${version ? staged(version) : to}\n`
        : `${versionId} stays as it was; ${blockedBy.length === 1 ? 'a gate' : 'gates'} failed:\n${gateRows(
            blockedBy,
          )
            .map((line) => `  ${line}\n`)
            .join('')}train a better one, or take it upon yourself: --override "why"\n`,
  });
  if (blockedBy.length > 0) surroundings.fail();
}
