import { loadConfig, runProcess } from '@sextant/platform';
import { campaignConfig, startCampaignSubgraph } from './campaign-subgraph.js';

runProcess('campaign', async () => startCampaignSubgraph(loadConfig(campaignConfig, process.env)));
