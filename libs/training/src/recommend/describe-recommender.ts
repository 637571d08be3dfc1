import type { ItemModelSetting, RecommenderChoice } from '@sextant/learning/recommend';

/** The chosen recommender in words. */
export function describeRecommender(choice: RecommenderChoice): string {
  const { components, als, tauItems, excludeHistory } = choice;
  if (components.length === 0 && als === null) return 'popularity with decay, the same for everyone';
  const memory =
    tauItems === null ? 'no forgetting' : `history weights falling to 1/e every ${tauItems} items`;
  const known = excludeHistory ? 'leaving out known items' : 'showing known items again';
  if (als) {
    const { rank, alpha, regularisation } = als;
    return `ALS, as the catalogue is too large for weights between all items (rank ${rank}, alpha ${alpha}, lambda ${regularisation}); ${memory}, ${known}`;
  }
  const blend = components.length === 1 ? '' : 'mean of ';
  return `${blend}${components.map(describeItemModel).join(', ')}; ${memory}, ${known}`;
}

export function describeItemModel({ model, regularisation, reachItems }: ItemModelSetting): string {
  switch (model) {
    case 'ease':
      return `EASE (lambda ${regularisation})`;
    case 'ease-relevant':
      return `EASE on relevant interactions (lambda ${regularisation})`;
    case 'ease-near':
      return `EASE on nearness in sequence (reach ${reachItems}, lambda ${regularisation})`;
    case 'next':
      return `what comes next (reach ${reachItems}, lambda ${regularisation})`;
    case 'item-knn':
      return `item-kNN (shrinkage ${regularisation})`;
  }
}

export function reasonOfChoice({ components, als, validation }: RecommenderChoice): string {
  const { customers, candidates, ndcgAt10, bestNdcgAt10, popularityNdcgAt10, alone } = validation;
  if (customers === 0) return 'no customer has a later interaction to judge by: the defaults were taken';
  const each = alone.map((one) => `${describeItemModel(one.setting)} ${one.ndcgAt10.toFixed(4)}`).join(', ');
  if (components.length === 0 && als === null)
    return `none of ${candidates} candidates beat popularity (NDCG@10 ${popularityNdcgAt10.toFixed(4)}) on an inner split of ${customers} customers: ${each}`;
  return (
    `NDCG@10 ${ndcgAt10.toFixed(4)} on an inner split of ${customers} customers, against ${popularityNdcgAt10.toFixed(4)} by ` +
    `popularity${each === '' ? '' : `; alone: ${each}`}. The best of ${candidates} candidates reached ${bestNdcgAt10.toFixed(4)}, and among those within one ` +
    'standard error the longest memory was kept'
  );
}
