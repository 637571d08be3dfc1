import { type ArgumentNode, type GraphQLResolveInfo, Kind } from 'graphql';
import { fieldsBelow } from '../selection.js';
import { DEFAULT_CONTRIBUTIONS, MOST_CONTRIBUTIONS } from './explanation.js';

/**
 * The most contributions that an `explanation` below this field shows, so that no others are made into a message; 0 where none is
 * asked for. A `top` that is refused later counts as the most there can be.
 */
export function shownContributions(info: GraphQLResolveInfo): number {
  const tops = fieldsBelow(info, 'explanation').map(({ arguments: given = [] }) =>
    topOf(
      given.find(({ name }) => name.value === 'top'),
      info,
    ),
  );
  return Math.max(0, ...tops);
}

function topOf(argument: ArgumentNode | undefined, { variableValues }: GraphQLResolveInfo): number {
  const given = argument?.value;
  if (given === undefined || given.kind === Kind.NULL) return DEFAULT_CONTRIBUTIONS;
  const value =
    given.kind === Kind.VARIABLE
      ? variableValues[given.name.value]
      : Number('value' in given ? given.value : NaN);
  if (value === undefined || value === null) return DEFAULT_CONTRIBUTIONS;
  const isInRange = typeof value === 'number' && value >= 1 && value <= MOST_CONTRIBUTIONS;
  return isInRange ? value : MOST_CONTRIBUTIONS;
}
