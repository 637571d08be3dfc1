export const BANDS = ['COLD', 'WARM', 'HOT'] as const;
export type Band = (typeof BANDS)[number];

export interface Playbook {
  action: string;
  owner: string;
  /** ISO 8601 duration */
  dueWithin: string;
}

const PLAYBOOKS: Readonly<Record<Band, Playbook | null>> = {
  HOT: { action: 'Call the lead and offer a date for a demonstration', owner: 'sales', dueWithin: 'PT4H' },
  WARM: {
    action: 'Send a case of the lead’s industry and ask for a conversation',
    owner: 'marketing',
    dueWithin: 'P2D',
  },
  COLD: null,
};

/** What to do with a lead of this band; null where waiting is best. */
export function playbookFor(band: Band): Playbook | null {
  return PLAYBOOKS[band];
}

export function isBand(text: string): text is Band {
  return BANDS.some((band) => band === text);
}
