import type { RequestContext } from '@sextant/platform';
import { ModelPolicies, type ModelPolicy, type PlaybookEntry } from '@sextant/model-registry';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import { checkTask, isTask } from '../model/task.js';
import { isScoreTask } from '../score/playbook.js';
import { type ModelPolicyInput, policyChanges } from './policy-input.js';
import { TenantPlaybooks } from './tenant-playbooks.js';

/** A policy as the graph shows it. */
export interface ShownPolicy extends Omit<ModelPolicy, 'playbooks'> {
  playbooks: { band: string; playbook: PlaybookEntry }[] | null;
}

@Resolver('ModelPolicy')
export class ModelPolicyResolver {
  constructor(
    private readonly policies: ModelPolicies,
    private readonly playbooks: TenantPlaybooks,
  ) {}

  @Query()
  async modelPolicy(
    @Args('task') task: string,
    @Context() { identity }: RequestContext,
  ): Promise<ShownPolicy | null> {
    return isTask(task) ? shown(await this.policies.find(identity.tenantId, task)) : null;
  }

  @Mutation()
  async setModelPolicy(
    @Args('task') text: string,
    @Args('input') input: ModelPolicyInput,
    @Context() { identity }: RequestContext,
  ): Promise<ShownPolicy> {
    const task = checkTask(text, 'task');
    const policy = await this.policies.change(identity.tenantId, task, policyChanges(task, input));
    if (isScoreTask(task)) this.playbooks.forget(identity.tenantId, task);
    return shown(policy);
  }
}

function shown({ playbooks, ...policy }: ModelPolicy): ShownPolicy {
  const entries = playbooks && Object.entries(playbooks).map(([band, playbook]) => ({ band, playbook }));
  return { ...policy, playbooks: entries };
}
