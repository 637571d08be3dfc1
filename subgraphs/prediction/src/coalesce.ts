/**
 * Puts equal questions once and hands every asker the one answer.
 *
 * @param questions  in any order
 * @param keyOf      equal keys mean the same question
 * @param merge      one question that satisfies both askers
 * @param answer     answers in the order of the distinct questions
 * @returns          answers in the order of `questions`
 */
export async function coalesce<Q, A>(
  questions: readonly Q[],
  { keyOf, merge }: { keyOf(question: Q): string; merge(first: Q, second: Q): Q },
  answer: (distinct: readonly Q[]) => Promise<readonly (A | Error)[]>,
): Promise<(A | Error)[]> {
  const keys = questions.map(keyOf);
  const distinct = new Map<string, Q>();
  for (const [i, question] of questions.entries()) {
    const key = keys[i] ?? '';
    const known = distinct.get(key);
    distinct.set(key, known === undefined ? question : merge(known, question));
  }
  const answers = await answer([...distinct.values()]);
  if (distinct.size === questions.length) return questions.map((_, i) => answers[i] ?? lost());
  const byKey = new Map([...distinct.keys()].map((key, i) => [key, answers[i]]));
  return keys.map((key) => byKey.get(key) ?? lost());
}

function lost(): RangeError {
  return new RangeError('a question was lost');
}
