import type { ScoreTask, Task } from '@sextant/artefacts';

export const BANDS = ['COLD', 'WARM', 'HOT', 'LOW', 'MEDIUM', 'HIGH'] as const;
export type Band = (typeof BANDS)[number];

export interface Playbook {
  action: string;
  /** a team, not a person */
  owner: string;
  /** ISO 8601 duration; null: whenever */
  dueWithin: string | null;
}

/** Of each task that has bands, from low to high. */
export const BANDS_OF_TASK: Readonly<Partial<Record<Task, readonly Band[]>>> = {
  lead: ['COLD', 'WARM', 'HOT'],
  churn: ['LOW', 'MEDIUM', 'HIGH'],
  purchase: ['LOW', 'MEDIUM', 'HIGH'],
};

export function isScoreTask(task: Task): task is ScoreTask {
  return task in BANDS_OF_TASK;
}

/** What to do with each band of one task; a band that is not named waits. */
export type Playbooks = Readonly<Partial<Record<Band, Playbook>>>;

export const LEAD_PLAYBOOKS: Playbooks = {
  HOT: { action: 'Call the lead and offer a date for a demonstration', owner: 'sales', dueWithin: 'PT4H' },
  WARM: {
    action: 'Send a case of the lead’s industry and ask for a conversation',
    owner: 'marketing',
    dueWithin: 'P2D',
  },
};

export const CHURN_PLAYBOOKS: Playbooks = {
  HIGH: { action: 'Write personally and ask what is missing', owner: 'service', dueWithin: 'P2D' },
  MEDIUM: {
    action: 'Show what is new since the last visit in the next mailing',
    owner: 'marketing',
    dueWithin: 'P7D',
  },
};

export const PURCHASE_PLAYBOOKS: Playbooks = {
  HIGH: {
    action: 'Show the recommendations, and keep discounts for others',
    owner: 'marketing',
    dueWithin: 'P1D',
  },
  MEDIUM: { action: 'Remind of what was looked at last', owner: 'marketing', dueWithin: 'P3D' },
};

export function isBand(text: string): text is Band {
  return BANDS.some((band) => band === text);
}
