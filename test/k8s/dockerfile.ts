/** One instruction of a Dockerfile, continuation lines joined. */
export interface Instruction {
  name: string;
  rest: string;
}

export interface Stage {
  /** what it starts from: an image or an earlier stage */
  base: string;
  alias: string | undefined;
  instructions: Instruction[];
}

/** Reads the parts of the Dockerfile grammar that our files use: comments, continuation lines, stages. */
export function parseDockerfile(text: string): { globals: Instruction[]; stages: Stage[] } {
  const globals: Instruction[] = [];
  const stages: Stage[] = [];
  for (const instruction of instructionsOf(text)) {
    const from = instruction.name === 'FROM' ? /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(instruction.rest) : null;
    if (from) stages.push({ base: from[1] ?? '', alias: from[2], instructions: [] });
    else (stages.at(-1)?.instructions ?? globals).push(instruction);
  }
  return { globals, stages };
}

/** Instructions of a stage with those of the stages it builds upon, first to last. */
export function inheritedInstructions(stages: readonly Stage[], stage: Stage): Instruction[] {
  const base = stages.find((other) => other.alias === stage.base && other !== stage);
  return [...(base ? inheritedInstructions(stages, base) : []), ...stage.instructions];
}

function instructionsOf(text: string): Instruction[] {
  const code = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  const joined = code.join('\n').replace(/\\\n\s*/g, '');
  return joined.split('\n').map((line) => {
    const [, name, rest] = /^([A-Z]+)\s+(.*)$/i.exec(line.trim()) ?? [];
    if (!name || rest === undefined) throw new Error(`not a Dockerfile instruction: ${line}`);
    return { name: name.toUpperCase(), rest };
  });
}
