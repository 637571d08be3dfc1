import { loadConfig, processTracing, runProcess } from '@sextant/platform';
import { campaignConfig, startCampaignSubgraph } from './campaign-subgraph.js';

runProcess('campaign', async () =>
  startCampaignSubgraph(loadConfig(campaignConfig, process.env), {
    tracing: await processTracing('campaign', process.env),
  }),
);
