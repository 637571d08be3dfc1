/** What resolvers need of the configuration. */
export class PredictionSettings {
  constructor(readonly defaultBudgetMs: number) {}
}
