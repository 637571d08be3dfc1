import { ask, type Graph } from './ask.js';
import { HomeDocument, type SlateFragment, VisitorDocument } from './generated/graph.js';

/** What a page shows of one recommendation. */
export interface Card {
  readonly productId: string;
  readonly title: string;
  /** e.g. `12.90 EUR`; null where no price is known */
  readonly price: string | null;
  readonly reason: string;
}

/** The cards of a customer's home page, and the decision to join outcomes to; no cards when nothing can be recommended. */
export async function homePage(
  graph: Graph,
  id: string,
): Promise<{ decisionId: string | null; cards: Card[] }> {
  const { data } = await ask(graph, HomeDocument, { id });
  const slate = data?.customer?.recommendations;
  return { decisionId: slate?.decisionId ?? null, cards: slate ? slate.items.flatMap(cardsOf) : [] };
}

/** Product ids to show to somebody whom nobody knows, from what they viewed. */
export async function visitorPage(graph: Graph, viewed: string[]): Promise<string[]> {
  const { data } = await ask(graph, VisitorDocument, { session: { anonymousRef: 'visit', viewed } });
  const items = data?.sessionRecommendations?.items ?? [];
  return items.flatMap(({ product }) => (product ? [product.id] : []));
}

/** None for an article that the catalogue cannot show right now. */
function cardsOf({ product, reason }: SlateFragment['items'][number]): Card[] {
  if (!product?.title) return [];
  const { id, title, listPrice } = product;
  return [{ productId: id, title, reason, price: listPrice && `${listPrice.amount} ${listPrice.currency}` }];
}
