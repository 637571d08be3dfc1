import type { GraphQuestions, Lesson } from './lessons.js';
import type { Progress } from './progress.js';

/** Learns what is missing, with a bar for each lesson. What cannot be learnt is reported: rules answer in its place. */
export async function learnFirst(
  lessons: readonly Lesson[],
  client: GraphQuestions,
  progress: Progress,
): Promise<void> {
  for (const { name, isLearnt, learn } of lessons) {
    if (await isLearnt(client)) continue;
    await progress
      .step(
        name,
        () => learn(client, (share) => progress.bar(name, share)),
        (outcome) => outcome,
      )
      .catch((error: unknown) => progress.line(notDone(name, error)));
  }
}

/**
 * Learns what is missing while the graph answers already; a line for each lesson, and one when all is done. What cannot be learnt is
 * reported, and the others go on.
 */
export async function learnLater(
  lessons: readonly Lesson[],
  client: GraphQuestions,
  { say, isStopping }: { say: (text: string) => void; isStopping: () => boolean },
): Promise<void> {
  let [learnt, tried] = [0, 0];
  for (const lesson of lessons) {
    const started = Date.now();
    try {
      if (await lesson.isLearnt(client)) continue;
      tried += 1;
      const outcome = await lesson.learn(client, () => undefined);
      const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
      say(`${seconds} s  ${lesson.name}: ${outcome}`);
      learnt += 1;
    } catch (error) {
      if (isStopping()) return;
      say(notDone(lesson.name, error));
    }
  }
  if (tried > 0) say(`The rest is learnt: ${learnt} of ${tried}.`);
}

function notDone(name: string, error: unknown): string {
  return `          could not ${name}: ${error instanceof Error ? error.message : String(error)}`;
}
