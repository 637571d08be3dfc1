import type { DrawnLead } from './behaviour/leads.js';
import type { DrawnRetention } from './behaviour/retention.js';
import { Simulation } from './behaviour/simulation.js';
import { type CompanyPlan, DEMO_PLAN } from './company-plan.js';

export interface SimulatedEvent {
  atMs: number;
  type: string;
  customerRef?: string;
  properties: Record<string, unknown>;
}

/** A small company lived through, with every event parsed. */
export function simulateCompany(changes: Partial<CompanyPlan> = {}): {
  simulation: Simulation;
  events: SimulatedEvent[];
  leads: DrawnLead[];
  retentions: DrawnRetention[];
} {
  const leads: DrawnLead[] = [];
  const retentions: DrawnRetention[] = [];
  const simulation = new Simulation(
    { ...DEMO_PLAN, ...changes },
    { lead: (lead) => leads.push(lead), retention: (retention) => retentions.push(retention) },
  );
  const events: SimulatedEvent[] = [];
  for (const day of simulation.days()) {
    for (const { atMs, type, rest } of day.events) {
      const parsed = JSON.parse(`{${rest}`) as Omit<SimulatedEvent, 'atMs' | 'type'>;
      events.push({ atMs, type, ...parsed });
    }
  }
  return { simulation, events, leads, retentions };
}

export interface OrderLine {
  productId: string;
  quantity: number;
  unitPrice: string;
}

export function orderLines(event: SimulatedEvent): OrderLine[] {
  return event.properties['lines'] as OrderLine[];
}
